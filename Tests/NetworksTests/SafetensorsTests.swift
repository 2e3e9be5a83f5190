import Datasets
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
            let weights = ModelWeights(layout: try .leNet5(channels: channels, classes: classes), seed: 5, run: 2)
            let normalisation = Normalisation(
                (1...channels).map {
                    ChannelStatistics(mean: 0.2860405969887955 * Double($0), std: 0.3530242445149223 / Double($0))
                })
            try weights.write(to: folder + "/w.safetensors", normalisation: normalisation, steps: 12)
            let read = try ModelWeights.read(folder + "/w.safetensors")
            #expect(read.weights == weights)
            #expect(read.normalisation == normalisation)
        }
    }

    @Test func packingIsUndoneByUnpacking() throws {
        let layout = try ParameterLayout.leNet5(channels: 2, classes: 11)
        let weights = ModelWeights(layout: layout, seed: 9, run: 0)
        let packed = weights.packed()
        #expect(packed.count == layout.parameterCount)
        let running = layout.running.map { weights.packedRunning($0.name)[...] }
        #expect(ModelWeights(layout: layout, parameters: packed[...], running: running) == weights)
    }

    /// PyTorch's shapes hold 61,750 parameters for one plane and ten classes.
    @Test func theNetworkHasTheArticlesParameters() throws {
        let weights = ModelWeights(layout: try .leNet5(), seed: 1, run: 0)
        let parameters = weights.tensors.filter { !$0.key.contains("running") }
        #expect(parameters.values.reduce(0) { $0 + $1.values.count } == 61_750)
    }

    @Test func initialValuesFillTheirRangeAndNoMore() throws {
        let weights = ModelWeights(layout: try .leNet5(), seed: 1, run: 0)
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
            let weights = ModelWeights(layout: try .leNet5(), seed: 1, run: 0)
            try weights.write(to: path, normalisation: Normalisation(mean: 0, std: 1), steps: 1)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            func message(_ bytes: [UInt8]) -> String {
                do {
                    _ = try ModelWeights(tensors: Safetensors.parse(bytes, path: "w").tensors)
                    return ""
                } catch {
                    #expect(error.category == .badData)
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

    /// A file of tensors as they lie in it.
    private func file(
        _ tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])], metadata: String = "{}"
    ) -> [UInt8] {
        var entries = ["\"__metadata__\":\(metadata)"]
        var body: [UInt8] = []
        for tensor in tensors {
            entries.append(
                "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),\"data_offsets\":[\(body.count),"
                    + "\(body.count + tensor.bytes.count)]}")
            body += tensor.bytes
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + body
    }

    private func error(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            #expect((error as? NetworkError)?.category == .badData)
            return "\(error)"
        }
    }

    @Test func halvesAndDoublesAreRead() throws {
        let values: [Float] = [1, -2, 0.5, 0x1p-24, 65504, 0]
        let doubles = values.flatMap { value in withUnsafeBytes(of: Double(value).bitPattern.littleEndian) { Array($0) }
        }
        let bytes = file([
            ("half", "F16", [2, 3], [0, 0x3C, 0, 0xC0, 0, 0x38, 1, 0, 0xFF, 0x7B, 0, 0]),
            ("brain", "BF16", [3], [0x80, 0x3F, 0, 0xC0, 0x49, 0x40]), ("double", "F64", [6], doubles),
            ("whole", "I64", [1], [1, 0, 0, 0, 0, 0, 0, 0]),
        ])
        let contents = try Safetensors.parse(bytes, path: "w")
        #expect(contents.tensors["half"] == Tensor(shape: [2, 3], values: values))
        #expect(contents.tensors["brain"] == Tensor(shape: [3], values: [1, -2, 3.140625]))
        #expect(contents.tensors["double"] == Tensor(shape: [6], values: values))
        #expect(contents.tensors["whole"] == nil)
        #expect(contents.found["whole"] == Safetensors.Found(type: "I64", shape: [1]))
        #expect(
            error { _ = try Safetensors.parse(file([("x", "F16", [3], [0, 0])]), path: "w") }.contains(
                "has 2 bytes for shape"))
    }

    @Test(arguments: ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.module."])
    func wrappersPrefixesAreLeftOffWithANote(prefix: String) throws {
        try inFolder { folder in
            let weights = ModelWeights(layout: try .leNet5(), seed: 5, run: 2)
            let path = folder + "/w.safetensors"
            let tensors = Dictionary(uniqueKeysWithValues: weights.tensors.map { (prefix + $0.key, $0.value) })
            try Safetensors.write(tensors, metadata: [:], to: path)
            let read = try ModelWeights.read(path)
            #expect(read.weights == weights && read.normalisation == nil)
            #expect(read.notes == ["\(path): ignoring \(prefix) in tensor names"])
            var both = tensors
            both["fc.bias"] = weights.tensors["fc.bias"]
            try Safetensors.write(both, metadata: [:], to: path)
            let message = error { _ = try ModelWeights.read(path) }
            #expect(
                message.contains("fc.bias and \(prefix)fc.bias") || message.contains("\(prefix)fc.bias and fc.bias"))
        }
    }

    @Test func whatIsNotWantedIsNamedWithFileTypeAndShape() throws {
        try inFolder { folder in
            let path = folder + "/w.safetensors"
            func message(_ change: (inout [(name: String, type: String, shape: [Int], bytes: [UInt8])]) -> Void) throws
                -> String
            {
                var tensors = ModelWeights(layout: try .leNet5(), seed: 5, run: 2).tensors.sorted { $0.key < $1.key }
                    .map {
                        (
                            name: $0.key, type: "F16", shape: $0.value.shape,
                            bytes: [UInt8](repeating: 0, count: 2 * $0.value.values.count)
                        )
                    }
                change(&tensors)
                try Data(file(tensors)).write(to: URL(fileURLWithPath: path))
                return error { _ = try ModelWeights.read(path) }
            }
            let types = try message { tensors in
                for index in tensors.indices where tensors[index].name == "fc.bias" {
                    tensors[index].type = "I8"
                    tensors[index].bytes = [UInt8](repeating: 0, count: 120)
                }
            }
            #expect(
                types.contains("\(path): tensor fc.bias is I8 [120] where F32, F16, BF16 or F64 [120] is wanted"),
                "\(types)")
            let shapes = try message { tensors in
                for index in tensors.indices where tensors[index].name == "fc.bias" { tensors[index].shape = [12, 10] }
            }
            #expect(
                shapes.contains("\(path): tensor fc.bias has shape F16 [12, 10] where [120] is wanted"), "\(shapes)")
            let names = try message { tensors in
                for index in tensors.indices { tensors[index].name = "net." + tensors[index].name }
            }
            #expect(names.contains("\(path): tensor layer1.0.weight is missing"), "\(names)")
            #expect(names.contains("the file has net.fc.bias (F16 [120])"), "\(names)")
        }
    }

    @Test(arguments: ["3", "{\"mean\": 0.1}", "[]", "{\"mean\": null}"])
    func metadataOfAnotherKindAreSaid(metadata: String) {
        let message = error { _ = try Safetensors.parse(file([], metadata: metadata), path: "w.st") }
        #expect(message.contains("w.st: its __metadata__ is not what the format asks for"), "\(message)")
    }
}
