import Studies

/// Where a study's results come from: the machines, programs and days, as its sessions noted them.
struct Provenance: Sendable {
    /// Sessions on one machine with one program.
    struct Machine: Sendable {
        let device: String
        let facts: String
        let sessions: String
    }

    let machines: [Machine]
    /// The commands that the study was run by, each once, the latest last.
    let commands: [String]
    let data: [String]
    /// The folder of the data that the latest session with one was given; nil where all sessions found theirs by name.
    let dataFolder: String?
    /// Whether the latest session exchanged rows and columns of the images.
    let isTransposed: Bool
    /// What the latest session was told to compute on, as options of the command.
    let deviceOptions: [String]

    /// - Parameter devices: the devices of sessions with several.
    init(_ environment: StudyEnvironment, devices: [DeviceRuns] = []) {
        var order: [String] = []
        var groups: [String: [[String: String]]] = [:]
        let keys = ["device", "platform", "driver", "backend", "system", "coppice"]
        for session in environment.sessions {
            let key = keys.map { session[$0] ?? "" }.joined(separator: "\u{0}")
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(session)
        }
        let lastShared = environment.sessions.last { $0["devices"] != nil }
        machines = order.compactMap { key in
            guard let sessions = groups[key], let first = sessions.first else { return nil }
            let facts = [
                first["platform"].map { "platform \($0)" }, first["driver"].map { "driver \($0)" },
                first["backend"].map { "backend \($0)" }, first["system"], first["coppice"].map { "coppice \($0)" },
                sessions.contains { $0 == lastShared } ? Self.words(devices) : nil,
            ]
            let started = sessions.compactMap { $0["started"] }.sorted()
            var when = Wording.counted(sessions.count, "session")
            if let begin = started.first, let end = started.last {
                when += begin == end ? ", started \(begin)" : ", started \(begin) to \(end)"
            }
            return Machine(
                device: first["device"] ?? "a device without a name",
                facts: facts.compactMap { $0 }.filter { !$0.hasSuffix(" ") && !$0.isEmpty }.joined(separator: "; "),
                sessions: when)
        }
        var commands: [String] = []
        for command in environment.sessions.compactMap({ $0["command"] }) {
            commands.removeAll { $0 == command }
            commands.append(command)
        }
        dataFolder = environment.sessions.last { $0["data"] != nil }?["data"]
        isTransposed = environment.isTransposed
        var options: [String] = []
        for name in ["device", "devices", "profile"] {
            if let value = environment.sessions.last?["option_\(name)"] { options += ["--\(name)", value] }
        }
        if environment.sessions.last?["option_mix_devices"] != nil { options.append("--mix-devices") }
        deviceOptions = options
        // The newest say how to go on.
        self.commands = commands.suffix(5).map { "coppice " + $0 }
        data = environment.datasets.sorted { $0.key < $1.key }.map { name, facts in
            var words =
                "\(name): \(Wording.counted(facts.count, "training \(facts.height == nil ? "sample" : "image")")), \(facts.classCount) classes"
            if let height = facts.height, let width = facts.width {
                words += ", \(height) by \(width) pixels"
            } else {
                words += ", \(Wording.counted(facts.featureCount, "feature"))"
            }
            if let channels = facts.channels, channels > 1 { words += " of \(channels) channels" }
            return words + ", SHA-256 \(facts.fingerprint)"
        }
    }

    /// The number of runs of each device, as a fact; nil without several devices.
    private static func words(_ devices: [DeviceRuns]) -> String? {
        if devices.isEmpty { return nil }
        return devices.map { "device \($0.number), \($0.name): \(Wording.counted($0.runs, "run"))" }
            .joined(separator: "; ")
    }
}
