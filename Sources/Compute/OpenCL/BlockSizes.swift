/// A block size, or several that go together, which a device may choose for itself: they change the order of no sum, so
/// that results keep their bits.
package struct Tunable: Sendable {
    /// What it is called in `coppice tune` and in what that keeps.
    package let name: String
    /// The kernels whose benchmarks decide, and whose results must have the same bits as with the default.
    package let kernels: [String]
    /// The kernels that only arrange what those take. They must be right too.
    package let arrangers: [String]
    /// The sizes to try in a profile, each a value for every macro; the first one is the default.
    package let candidates: @Sendable (DeviceProfile) -> [[Int]]

    init(
        _ name: String, of kernels: [String], arrangedBy arrangers: [String] = [],
        candidates: @escaping @Sendable (DeviceProfile) -> [[Int]]
    ) {
        self.name = name
        self.kernels = kernels
        self.arrangers = arrangers
        self.candidates = candidates
    }

    /// Every one there is.
    package static let all: [Tunable] = [
        pointBlock, projectedColumns, covarianceBlock, covarianceRows, forwardChannels, backwardBlock,
        weightGradientChannels, classifierBlock, gradientRows, backwardShares, weightGradientShares, adamChunk,
        linearBlock, linearRows, layerShares, convolutionBlock, kernelGradientBlock, kernelGradientShares,
    ]
}

/// The block sizes of every ``Tunable`` in a profile: the defaults, or what was found best on a device.
package struct BlockSizes: Sendable, Hashable {
    /// The profile that they are for.
    package let profile: DeviceProfile
    private var chosen: [String: [Int]] = [:]

    /// The defaults.
    package init(_ profile: DeviceProfile) {
        self.profile = profile
        for tunable in Tunable.all { chosen[tunable.name] = tunable.candidates(profile)[0] }
    }

    /// The sizes of a tunable.
    package subscript(tunable: Tunable) -> [Int] { chosen[tunable.name] ?? tunable.candidates(profile)[0] }

    /// Those that are not the default, by the tunables' names.
    package var tuned: [String: [Int]] {
        let standard = BlockSizes(profile).chosen
        return chosen.filter { $0.value != standard[$0.key] }
    }

    /// The same with one of a tunable's candidates.
    package func with(_ sizes: [Int], for tunable: Tunable) -> BlockSizes {
        var copy = self
        copy.chosen[tunable.name] = sizes
        return copy
    }

    /// Those that are not the default as text, a line each: "name: value value".
    var text: String {
        tuned.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.map(String.init).joined(separator: " "))\n" }
            .joined()
    }

    /// What ``text`` says; nil unless every line names another tunable and one of its candidates.
    init?(text: String, profile: DeviceProfile) {
        self.init(profile)
        var named: Set<String> = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let tunable = Tunable.all.first(where: { $0.name == parts[0] }),
                named.insert(tunable.name).inserted
            else { return nil }
            let sizes = parts[1].split(separator: " ").map { Int($0) ?? -1 }
            guard tunable.candidates(profile).contains(sizes) else { return nil }
            chosen[tunable.name] = sizes
        }
    }
}
