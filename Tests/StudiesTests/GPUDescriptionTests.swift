import Foundation
import Testing

@testable import Studies

@Suite struct GPUDescriptionTests {
    private static let good = "name: A card\ntflops: 60.5\ngbs: 3e3\nlaunch_us: 2\ncompute_units: 100"

    @Test func readsYAMLAndJSON() throws {
        let gpu = try GPUDescription(text: Self.good, file: "gpu.yaml")
        #expect(gpu.name == "A card" && gpu.tflops == 60.5 && gpu.gbs == 3000)
        #expect(gpu.launchMicroseconds == 2 && gpu.computeUnits == 100)
        let json = #"{"name": "A card", "tflops": 60.5, "gbs": 3000, "launch_us": 2.0, "compute_units": 100}"#
        #expect(try GPUDescription(text: json, file: "gpu.json") == gpu)
    }

    @Test func theFilesOfTheDocumentationAreGood() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/gpus").standardizedFileURL
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(names.count >= 4)
        for name in names {
            let gpu = try GPUDescription(file: folder.appendingPathComponent(name).path)
            // A GPU of these years: what is off by a thousand is a slip of units.
            #expect((1...200).contains(gpu.tflops) && (100...10_000).contains(gpu.gbs), "\(name)")
            #expect((0.5...50).contains(gpu.launchMicroseconds) && (10...400).contains(gpu.computeUnits), "\(name)")
        }
    }

    @Test(arguments: [
        (
            "",
            "gpu.yaml: the file is empty; a GPU's description has the keys name, tflops, gbs, launch_us, compute_units"
        ),
        ("- 3", "gpu.yaml:1:1: a GPU's description must be a mapping with keys, name for one, not a list"),
        ("a: [", "gpu.yaml:2:1: this is not YAML: "),
        (good + "\ntflop: 3", "gpu.yaml:6:1: unknown key tflop; the nearest known one is tflops"),
        (good + "\ngbs: 3", "gpu.yaml:3:1: the key gbs stands more than once here"),
        ("name: A card\ntflops: 60", "gpu.yaml:1:1: there is no gbs here; its memory's bandwidth in GB/s is needed"),
        (good.replacing("60.5", with: "fast"), "gpu.yaml:2:9: tflops is fast; a number is needed"),
        (
            good.replacing("60.5", with: "0"),
            "gpu.yaml:2:9: tflops is 0.0; its float32 peak in TFLOP/s is needed, above 0"
        ),
        (
            good.replacing("60.5", with: ".nan"),
            "gpu.yaml:2:9: tflops is .nan; a number is needed, not NaN"
        ),
        (
            good.replacing("3e3", with: "-1"),
            "gpu.yaml:3:6: gbs is -1.0; its memory's bandwidth in GB/s is needed, above 0"
        ),
        (good.replacing("3e3", with: ".inf"), "gpu.yaml:3:6: gbs is .inf; a number is needed, not infinity"),
        (good.replacing("us: 2", with: "us: [2]"), "gpu.yaml:4:12: launch_us holds a list where a number is needed"),
        (
            good.replacing("100", with: "1.5"),
            "gpu.yaml:5:16: compute_units is 1.5; a whole number from 1 to 1000000 is needed"
        ),
        (
            good.replacing("A card", with: "''"),
            "gpu.yaml:1:7: name is ; a name of at most 60 printable characters is needed"
        ),
    ])
    func saysWhatIsWrongAndWhere(text: String, complaint: String) throws {
        let error = #expect(throws: StudyError.self) { try GPUDescription(text: text, file: "gpu.yaml") }
        #expect(error?.category == .badData)
        #expect(error?.description.hasPrefix(complaint) == true, "\(error?.description ?? "")")
    }

    @Test func aFileThatIsNotThereIsNoInput() throws {
        let error = #expect(throws: StudyError.self) { try GPUDescription(file: "/nonexistent/gpu.yaml") }
        #expect(error?.category == .noInput)
    }
}
