import Foundation
import Testing

@testable import Networks

@Suite struct SafetensorsTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    @Test(arguments: [(1, 10), (3, 7), (1, 17)]) func weightsReadBackAsTheyWereWritten(channels: Int, classes: Int)
        throws
    {
        try inFolder { folder in
            let weights = LeNet5Weights(layout: LeNet5Layout(channels: channels, classes: classes), seed: 5, run: 2)
            let normalisation = Normalisation(mean: 0.2860405969887955, std: 0.3530242445149223)
            try weights.write(to: folder + "/w.safetensors", normalisation: normalisation, steps: 12)
            let read = try LeNet5Weights.read(folder + "/w.safetensors")
            #expect(read.weights == weights)
            #expect(read.normalisation == normalisation)
        }
    }

    @Test func packingIsUndoneByUnpacking() {
        let layout = LeNet5Layout(channels: 2, classes: 11)
        let weights = LeNet5Weights(layout: layout, seed: 9, run: 0)
        let packed = weights.packed()
        #expect(packed.count == layout.parameterCount)
        let running = LeNet5Layout.runningNames.map { weights.packedRunning($0.0)[...] }
        #expect(LeNet5Weights(layout: layout, parameters: packed[...], running: running) == weights)
    }

    /// PyTorch's shapes hold 61,750 parameters for one plane and ten classes.
    @Test func theNetworkHasTheArticlesParameters() {
        let weights = LeNet5Weights(layout: LeNet5Layout(), seed: 1, run: 0)
        let parameters = weights.tensors.filter { !$0.key.contains("running") }
        #expect(parameters.values.reduce(0) { $0 + $1.values.count } == 61_750)
    }

    @Test func initialValuesFillTheirRangeAndNoMore() {
        let weights = LeNet5Weights(layout: LeNet5Layout(), seed: 1, run: 0)
        for (name, fanIn) in [("layer1.0.weight", 25), ("layer2.0.weight", 150), ("fc.weight", 400), ("fc2.bias", 84)] {
            let bound = 1 / Float(fanIn).squareRoot()
            let largest = weights[name].map(abs).max() ?? 0
            #expect(largest <= bound && largest > 0.6 * bound, "\(name)")
        }
        #expect(weights["layer1.1.weight"].allSatisfy { $0 == 1 })
        #expect(weights["layer2.1.running_var"].allSatisfy { $0 == 1 })
    }

    @Test func damagedFilesAreRefusedInASentence() throws {
        try inFolder { folder in
            let path = folder + "/w.safetensors"
            let weights = LeNet5Weights(layout: LeNet5Layout(), seed: 1, run: 0)
            try weights.write(to: path, normalisation: Normalisation(mean: 0, std: 1), steps: 1)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            func message(_ bytes: [UInt8]) -> String {
                do {
                    _ = try LeNet5Weights(tensors: Safetensors.parse(bytes, path: "w").tensors)
                    return ""
                } catch {
                    #expect(error.exitCode == 65)
                    return error.description
                }
            }
            #expect(message(whole) == "")
            for length in [0, 7, 8, 100, whole.count - 1] {
                #expect(!message(Array(whole.prefix(length))).isEmpty, "\(length) bytes")
            }
            #expect(message([UInt8](repeating: 0xFF, count: 64)).contains("safetensors"))
            var other = whole
            // A name that no longer fits.
            if let place = String(decoding: whole.prefix(4000), as: UTF8.self).range(of: "fc2.weight") {
                let offset = String(decoding: whole.prefix(4000), as: UTF8.self).distance(
                    from: String(decoding: whole.prefix(4000), as: UTF8.self).startIndex, to: place.lowerBound)
                other[8 + offset - 8] = UInt8(ascii: "x")
            }
            #expect(message(other).contains("fc2.weight is missing"))
            #expect(throws: NetworkError.self) { try Safetensors.read(folder + "/absent") }
            #expect(throws: NetworkError.self) {
                try weights.write(
                    to: folder + "/no/such/w", normalisation: Normalisation(mean: 0, std: 1), steps: 1)
            }
        }
    }
}
