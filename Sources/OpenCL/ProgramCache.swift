import Foundation
import Support

/// Compiled programs kept on disk from one start to the next.
///
/// A file is trusted only when it is whole and the key inside is the one asked for, letter by letter. Whatever goes
/// wrong (unreadable, cut short, a folder that cannot be written) means compiling again and is never an error.
package struct ProgramCache: Sendable {
    /// Everything that a compiled program depends on.
    package struct Key: Sendable, Hashable {
        /// The key written out: device, driver, platform, options, source.
        package let text: String

        /// The key of `source` compiled with `options` for `device`.
        package init(source: String, options: String, device: Device) {
            self.init(
                source: source, options: options, device: device.name, driver: device.driverVersion,
                platform: "\(device.platform.name) \(device.platform.version)")
        }

        init(source: String, options: String, device: String, driver: String, platform: String) {
            text =
                "device: \(device)\ndriver: \(driver)\nplatform: \(platform)\noptions: \(options)\nsource:\n\(source)"
        }

        /// The file's name under which a program of this key is kept.
        var fileName: String { fingerprint(Array(text.utf8)) + ".clbin" }
    }

    /// The folder that holds the files; it is made when the first one is stored.
    package let directory: URL

    /// A cache in `directory`.
    package init(directory: URL) { self.directory = directory }

    /// The cache that `device` should use: none where its driver keeps programs itself (PoCL, NVIDIA), else
    /// `$COPPICE_CACHE`, else `coppice/programs` in the user's cache folder.
    package static func standard(
        for device: Device, environment: EnvironmentVariables = .process
    ) -> ProgramCache? {
        if cachesByItself(platform: device.platform.name) { return nil }
        return ProgramCache(directory: standardDirectory(environment: environment))
    }

    /// The cache that `device` should use in a program that people start again and again: that of
    /// ``standard(for:environment:)``, and one for PoCL too. PoCL finds what it kept by preprocessing the source anew,
    /// 17 ms at every start; a binary takes it 1 ms. To give a binary away it compiles once more, which does not pay
    /// where hundreds of programs are built to be run once.
    package static func forRepeatedStarts(
        on device: Device, environment: EnvironmentVariables = .process
    ) -> ProgramCache? {
        if findsFast(platform: device.platform.name) { return nil }
        return ProgramCache(directory: standardDirectory(environment: environment))
    }

    /// Whether the drivers of a platform find the programs that they keep as fast as a binary is read.
    package static func findsFast(platform: String) -> Bool { platform.contains("NVIDIA") }

    /// Whether the drivers of a platform keep programs on disk themselves.
    package static func cachesByItself(platform: String) -> Bool {
        PoCLCache.isOf(platform: platform) || platform.contains("NVIDIA")
    }

    /// `$COPPICE_CACHE`, else `coppice/programs` in the user's cache folder.
    package static func standardDirectory(environment: EnvironmentVariables) -> URL {
        if let chosen = environment["COPPICE_CACHE"] { return URL(fileURLWithPath: chosen) }
        return URL(fileURLWithPath: environment.cacheFolder).appendingPathComponent("coppice/programs")
    }

    /// The binary kept under `key`, nil at any doubt.
    package func binary(for key: Key) -> [UInt8]? {
        guard let data = try? Data(contentsOf: directory.appendingPathComponent(key.fileName)) else { return nil }
        return ProgramCache.decode([UInt8](data), key: key)
    }

    /// Keeps `binary` under `key` if it can.
    package func store(_ binary: [UInt8], for key: Key) {
        let files = FileManager.default
        let file = directory.appendingPathComponent(key.fileName)
        let aside = directory.appendingPathComponent(".\(key.fileName).\(UUID().uuidString)")
        do {
            try files.createDirectory(at: directory, withIntermediateDirectories: true)
            try Data(ProgramCache.encode(binary, key: key)).write(to: aside)
        } catch {
            try? files.removeItem(at: aside)
            return
        }
        // rename(2) replaces a file of another process at once; nobody ever reads half of one.
        if rename(aside.path, file.path) != 0 { try? files.removeItem(at: aside) }
    }

    /// A heading with the lengths and the fingerprint of what follows: the key's text, then the binary.
    static func encode(_ binary: [UInt8], key: Key) -> [UInt8] {
        let text = Array(key.text.utf8)
        return Array("\(heading) \(text.count) \(binary.count) \(fingerprint(text + binary))\n".utf8) + text + binary
    }

    static func decode(_ bytes: [UInt8], key: Key) -> [UInt8]? {
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let fields = String(decoding: bytes[..<newline], as: UTF8.self).split(separator: " ")
        let text = Array(key.text.utf8)
        let body = bytes[(newline + 1)...]
        guard fields.count == 5, fields[0] + " " + fields[1] == heading,
            Int(fields[2]) == text.count, let length = Int(fields[3]), length > 0, body.count == text.count + length,
            body.starts(with: text), fields[4] == fingerprint(Array(body))
        else { return nil }
        return Array(body.dropFirst(text.count))
    }
}

/// The first line of every file, and the version of its form.
private let heading = "coppice-program 1"

/// 128 bits of FNV-1a in hexadecimal: it finds damage and names files, and is no defence against malice, which could
/// as well replace the program.
func fingerprint(_ bytes: [UInt8]) -> String {
    let prime: UInt128 = (1 << 88) + 0x13B
    var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
}
