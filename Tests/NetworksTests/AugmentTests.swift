import Compute
import Datasets
import Foundation
import Support
import Testing

@testable import Networks
import TestSupport

@Suite struct AugmentTests {
    private static let (height, width, channels, count) = (32, 32, 3, 24)
    private static let augment = Augment(shift: 4, flip: true)
    private static let normalisation = Normalisation(
        (0..<channels).map { ChannelStatistics(mean: 0.3 + 0.1 * Double($0), std: 0.25) })

    /// [sample][channel][y][x].
    private static func pixels() -> [UInt8] {
        var random = RandomStream(seed: 7, run: 0, purpose: .testing)
        // None is 0, as what comes from beyond an edge is.
        return (0..<count * channels * height * width).map { _ in UInt8(1 + random.nextIndex(below: 255)) }
    }

    private static func labels(_ copies: Int) -> [UInt8] { (0..<copies * count).map { UInt8($0 % count % 10) } }

    /// An image as torchvision makes it: padded with zeros on all sides, cut out of that, mirrored. Where it is cut and
    /// whether it is mirrored are words of the run's stream at the place of the sample and the epoch.
    private static func augmented(
        _ image: ArraySlice<UInt8>, sample: Int, epoch: Int, seed: UInt64, run: Int
    ) -> [UInt8] {
        let words = Philox4x32(key: seed).block(SIMD4(UInt32(sample), UInt32(epoch), UInt32(run), 16))
        let shift = augment.shift
        let top = Int(Double(words.x) / 0x1p32 * Double(2 * shift + 1))
        let left = Int(Double(words.y) / 0x1p32 * Double(2 * shift + 1))
        var result: [UInt8] = []
        for channel in 0..<channels {
            var padded = [[UInt8]](
                repeating: [UInt8](repeating: 0, count: width + 2 * shift), count: height + 2 * shift)
            for row in 0..<height {
                let first = image.startIndex + (channel * height + row) * width
                padded[shift + row].replaceSubrange(shift..<shift + width, with: image[first..<first + width])
            }
            for row in padded[top..<top + height] {
                let cut = row[left..<left + width]
                result += words.z >= 1 << 31 ? cut.reversed() : Array(cut)
            }
        }
        return result
    }

    /// Training with augmentation is training on images that were changed before, bit for bit; alone or among others, and
    /// however many epochs are drawn at once.
    @Test(arguments: TestBackends.names, ["lenet5", "mlp"])
    func trainingIsThatOfImagesThatWereChangedBefore(backendName: String, modelName: String) throws {
        let backend = try TestBackends.make(backendName)
        let model = try #require(ModelLibrary.model(modelName))
        let pixels = Self.pixels()
        let shape = SampleShape(channels: Self.channels, height: Self.height, width: Self.width)
        let size = shape.featureCount
        let store = try SampleStore(
            pixels: pixels, labels: Self.labels(1), shape: shape, classes: 10, on: backend)
        let trainer = Trainer(store, model: model, normalisation: Self.normalisation, on: backend)
        let subset = (0..<Self.count).filter { $0 % 5 != 1 }
        let runs = (0..<2).map { TrainingRun(subset: subset, seed: 5, run: $0) }
        let (epochs, batch) = (2, 8)
        var options = TrainingOptions(length: .epochs(epochs), batchSize: batch, augment: Self.augment)
        let together = try trainer.train(runs, options: options)
        let alone = try trainer.train([runs[1]], options: options, afterEpoch: { _ in true })
        #expect(alone.weights[0] == together.weights[1])
        options.augment = nil
        #expect(try trainer.train([runs[1]], options: options).weights[0] != together.weights[1])

        var changed: [UInt8] = []
        for epoch in 0..<epochs {
            for sample in 0..<Self.count {
                changed += Self.augmented(
                    pixels[sample * size..<(sample + 1) * size], sample: sample, epoch: epoch, seed: 5, run: 1)
            }
        }
        var orders = [RunOrder(of: runs[1], in: Self.count)]
        RunOrder.draw(&orders, epochs: epochs, trained: 0)
        let order = orders[0].indices.enumerated().map { place, sample in
            Int32(place / subset.count * Self.count) + sample
        }
        let plan = EpochPlan(size: subset.count, options: options)
        let batches = plan.batches(of: 0..<epochs)
        let parameters = try ModelParameters(
            [ModelWeights(layout: together.weights[1].layout, seed: 5, run: 1)], on: backend)
        let schedule = try StepSchedule(capacity: batches.count, replicas: 1, on: backend)
        try schedule.load(batches, firstStep: 0, learningRate: 0.001, on: backend)
        let network = try parameters.makeNetwork(
            batchSize: batch, schedule: schedule, trainingSteps: batches.count, on: backend)
        let source = try SampleSource(
            try SampleStore(
                pixels: changed, labels: Self.labels(epochs), shape: shape, classes: 10, on: backend),
            order: try backend.makeBuffer(order, label: "order"), orderStride: 0, normalisation: Self.normalisation,
            on: backend)
        for _ in batches {
            try network.backpropagate(source)
            try network.update()
        }
        #expect(try parameters.download()[0] == together.weights[1])
        #expect(try network.losses(steps: batches.count).map { $0[0] } == together.losses.map { $0[1] })
    }

    /// Every shift is as frequent as the others, half of the images are mirrored, and sample, epoch, run and seed all count.
    @Test func changesAreUniform() {
        var counts: [Augmentation.Change: Int] = [:]
        for sample in 0..<4000 {
            for epoch in 0..<4 {
                counts[Self.augment.change(of: sample, epoch: epoch, seed: 1, run: 2), default: 0] += 1
            }
        }
        #expect(counts.count == 2 * 9 * 9)
        // A chi-squared of 161 degrees of freedom has a mean of 161 and a deviation of 18.
        let due = 16000 / 162.0
        let chiSquared = counts.values.reduce(0) { $0 + (Double($1) - due) * (Double($1) - due) / due }
        #expect(chiSquared > 161 - 5 * 18 && chiSquared < 161 + 5 * 18)
        func words(_ key: (sample: Int, epoch: Int, seed: UInt64, run: Int)) -> [Int32] {
            (0..<20).map {
                Self.augment.change(of: key.sample + $0, epoch: key.epoch, seed: key.seed, run: key.run).word
            }
        }
        let keys: [(Int, Int, UInt64, Int)] = [(0, 0, 1, 0), (20, 0, 1, 0), (0, 1, 1, 0), (0, 0, 2, 0), (0, 0, 1, 1)]
        let all = keys.map { words($0) }
        #expect(Set(all).count == all.count)
        let unmoved = Augment(shift: 0, flip: true), upright = Augment(shift: 2)
        for sample in 0..<200 {
            let change = unmoved.change(of: sample, epoch: 0, seed: 1, run: 0)
            #expect(change.rows == 0 && change.columns == 0)
            #expect(!upright.change(of: sample, epoch: 0, seed: 1, run: 0).isMirrored)
        }
    }

    @Test func whatCannotBeAugmentedIsRefusedInASentence() throws {
        let backend = CPUBackend()
        let mlp = try #require(ModelLibrary.model("mlp"))
        func message(_ store: SampleStore, _ augment: Augment) -> String {
            let trainer = Trainer(
                store, model: mlp, normalisation: Normalisation(mean: 0, std: 1), on: backend)
            do {
                _ = try trainer.train(
                    [TrainingRun(subset: [0], seed: 1, run: 0)], options: TrainingOptions(augment: augment))
                return ""
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        let images = try LayeredFixture.store(on: backend)
        let features = try LayeredFixture.store(asFloats: true, on: backend)
        // A batch of one sample has no statistics of values that are there once; of planes it has.
        func batchNormFault(_ layers: [ModelSpec.Layer]) -> String {
            let trainer = Trainer(
                images, model: ModelSpec(name: "mine", layers: layers), normalisation: Normalisation(mean: 0, std: 1),
                on: backend)
            do {
                _ = try trainer.train(
                    [TrainingRun(subset: [0, 1], seed: 1, run: 0)], options: TrainingOptions(batchSize: 1))
                return ""
            } catch { return error.description }
        }
        #expect(
            batchNormFault([.flatten, .linear(.count(3)), .batchNorm, .linear(.classes)])
                .contains("layer 3 of mine (batch_norm)"))
        #expect(batchNormFault([.batchNorm, .flatten, .linear(.classes)]).isEmpty)
        #expect(message(features, Augment(flip: true)).contains("augmentation is for 8-bit images"))
        #expect(
            message(images, Augment(shift: 5)).contains("a shift of 5 is too large for images of 5x7; from 0 to 4"))
        #expect(message(images, Augment(shift: -1)).contains("a shift of -1"))
        #expect(message(images, Augment(shift: 4, flip: true)).isEmpty)
        #expect(TrainingOptions(augment: Augment()).augment == nil)
    }
}
