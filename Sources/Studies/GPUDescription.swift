import Datasets
import Support

/// What a GPU can do by its data sheet: what `coppice bench --roofline` estimates times from.
package struct GPUDescription: Equatable, Sendable {
    /// What it is called.
    package var name: String
    /// Peak of float32 multiply-adds outside matrix units, in 10^12 operations a second; a multiply-add counts as two.
    package var tflops: Double
    /// Bandwidth of its memory, in 10^9 bytes a second.
    package var gbs: Double
    /// Microseconds from one kernel of a queue to the next where neither has anything to do.
    package var launchMicroseconds: Double
    /// Compute units as OpenCL counts them.
    package var computeUnits: Int

    static let keys = ["name", "tflops", "gbs", "launch_us", "compute_units"]

    /// Reads the YAML (or JSON, which is YAML too) of a file.
    /// - Throws: ``StudyError/unreadable(file:reason:)``, ``StudyError/invalid(_:reason:)`` with the place and what would
    ///   be accepted there.
    package init(file: String) throws(StudyError) {
        try self.init(text: StudyLibrary.contents(of: file), file: file)
    }

    init(text: String, file: String) throws(StudyError) {
        guard let root = try StudyReader(file: file).compose(text, as: "description of a GPU"), !isNull(root) else {
            throw .invalid(
                SourcePlace(file: file),
                reason: "the file is empty; a GPU's description has the keys \(Self.keys.joined(separator: ", "))")
        }
        let fields = try StudyFields(root, file: file, what: "a GPU's description", keys: Self.keys)
        name = try fields.given(fields.string("name"), "name", "what the GPU is called")
        guard !name.isEmpty, excerpt(name) == name else {
            throw .invalid(
                fields.place(of: "name"),
                reason: "name is \(excerpt(name)); a name of at most 60 printable characters is needed")
        }
        func positive(_ key: String, _ meaning: String) throws(StudyError) -> Double {
            let value = try fields.given(fields.number(key), key, meaning)
            guard value > 0, value < 1e9 else {
                throw .invalid(fields.place(of: key), reason: "\(key) is \(value); \(meaning) is needed, above 0")
            }
            return value
        }
        tflops = try positive("tflops", "its float32 peak in TFLOP/s")
        gbs = try positive("gbs", "its memory's bandwidth in GB/s")
        launchMicroseconds = try positive("launch_us", "the cost of a kernel launch in microseconds")
        computeUnits = try fields.given(
            fields.integer("compute_units", in: 1...1_000_000), "compute_units", "the number of its compute units")
    }
}

extension StudyFields {
    /// The value, or the error that the mapping cannot do without it.
    fileprivate func given<Value>(_ value: Value?, _ key: String, _ meaning: String) throws(StudyError) -> Value {
        guard let value else {
            throw .invalid(place, reason: "there is no \(key) here; \(meaning) is needed")
        }
        return value
    }
}
