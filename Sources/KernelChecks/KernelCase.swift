import Compute

/// One kernel on one input: what `coppice verify` and the kernel tests run on a device and on the reference path.
package protocol KernelCase: Sendable {
    /// The kernel's name: that of its file in Kernels without ".cl".
    var kernel: String { get }
    /// What tells the case from its neighbours: its shape and seed, so that it can be repeated alone.
    var name: String { get }
    /// Cases that a selection chooses from for themselves: those of a kernel or, where its file makes programs of which
    /// each has lines that the others lack, of one of them.
    var variety: String { get }
    /// What the kernel is specialised for, apart from the device's profile: cases of a kernel with the same form share
    /// its compiled program, which is most of a case's time where nothing is compiled yet.
    var form: String { get }
    /// Multiply-adds, or elements moved, roughly: what the case costs on a device that is slow.
    var cost: Int { get }
    /// Runs the operation on `backend` and on `reference` and compares.
    /// - Throws: what the operations throw; whoever runs the case counts that as ``CaseVerdict/failed``.
    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult
}

extension KernelCase {
    package var variety: String { kernel }
}

/// All cases of one kernel, in the file Sources/KernelChecks/<Kernel>Cases.swift.
package protocol KernelCases: Sendable {
    /// The cases drawn from `seed`: awkward shapes first of all.
    static func cases(seed: UInt64) -> [any KernelCase]
    /// The shapes that the tool itself launches, with `replicas` networks side by side where there are any: LeNet-5 on
    /// batches of 64, and PCA and k-means of 28x28 images.
    static func launched(seed: UInt64, replicas: Int) -> [any KernelCase]
    /// The same of the wide forms of LeNet-5, which take long to compile and differ from it in extents alone.
    static func wide(seed: UInt64) -> [any KernelCase]
}

extension KernelCases {
    package static func wide(seed: UInt64) -> [any KernelCase] { [] }
}

/// How a case ended.
package enum CaseVerdict: String, Sendable, Codable {
    /// Within its bound everywhere.
    case right
    /// A value outside its bound, left unwritten, or written where nothing belongs.
    case wrong
    /// The operation reported an error.
    case failed
}

/// What became of a case.
package struct CaseResult: Sendable, Codable {
    /// The kernel.
    package var kernel: String
    /// The case.
    package var name: String
    /// The error of the element that came nearest to its bound, or went furthest beyond it; infinite where there is no
    /// distance, which plain JSON cannot say.
    package var maxError: Double
    /// That element's bound.
    package var bound: Double
    /// The judgement.
    package var verdict: CaseVerdict
    /// What is wrong and where; empty when right.
    package var message: String
    /// Of all bits that the case compared, NaN being one value: the same for the same results.
    package var fingerprint: UInt64

    /// A result as it stands.
    package init(
        kernel: String, name: String, maxError: Double, bound: Double, verdict: CaseVerdict, message: String,
        fingerprint: UInt64 = 0
    ) {
        self.fingerprint = fingerprint
        self.kernel = kernel
        self.name = name
        self.maxError = maxError
        self.bound = bound
        self.verdict = verdict
        self.message = message
    }
}

/// Gathers the comparisons of a case, which may have several outputs, into its result.
package struct CaseJudge {
    private let kernel: String
    private let name: String
    private var worst = CaseComparison(maxError: 0, bound: 0, index: nil)
    private var complaints: [String] = []
    /// FNV-1a over the compared values.
    private var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

    /// A judge of `kernelCase` before any comparison.
    package init(_ kernelCase: any KernelCase) {
        kernel = kernelCase.kernel
        name = kernelCase.name
    }

    /// Compares one output with what the reference has.
    package mutating func check(
        _ label: String, _ actual: GuardedContents<Float>, equals expected: [Float], within tolerance: Tolerance
    ) {
        checkGuards(label, actual)
        check(label, actual.values, equals: expected, within: tolerance)
    }

    /// Compares values that need no guard, such as what was computed from several outputs.
    package mutating func check(
        _ label: String, _ actual: [Float], equals expected: [Float], within tolerance: Tolerance
    ) {
        note(actual)
        take(label, compare(actual, expected, within: tolerance))
    }

    /// Compares one output with numbers that each have a bound of their own.
    package mutating func check(_ label: String, _ actual: GuardedContents<Float>, equals expected: [Bounded]) {
        checkGuards(label, actual)
        check(label, actual.values, equals: expected)
    }

    /// Compares values that need no guard with numbers that each have a bound of their own.
    package mutating func check(_ label: String, _ actual: [Float], equals expected: [Bounded]) {
        note(actual)
        take(label, compare(actual, expected))
    }

    private mutating func take(_ label: String, _ comparison: CaseComparison) {
        if comparison.ratio >= worst.ratio { worst = comparison }
        if let complaint = comparison.complaint { complaints.append("\(label)\(complaint)") }
    }

    /// Compares an output that must be the same to the last bit.
    package mutating func check<Element: CheckedElement & Equatable>(
        _ label: String, _ actual: GuardedContents<Element>, equals expected: [Element]
    ) {
        checkGuards(label, actual)
        note(actual.values)
        if let complaint = differences(actual.values, expected) {
            worst = CaseComparison(maxError: .infinity, bound: 0, index: nil)
            complaints.append("\(label)\(complaint)")
        }
    }

    /// Counts something as wrong that no comparison covers.
    package mutating func complain(_ complaint: String) { complaints.append(complaint) }

    /// The case's result.
    package var result: CaseResult {
        CaseResult(
            kernel: kernel, name: name, maxError: worst.maxError, bound: worst.bound,
            verdict: complaints.isEmpty ? .right : .wrong, message: complaints.joined(separator: "; "),
            fingerprint: fingerprint)
    }

    /// Takes values into the fingerprint.
    mutating func note<Element: CheckedElement>(_ values: [Element]) {
        for value in values { fingerprint = (fingerprint ^ value.fingerprintBits) &* 0x100_0000_01B3 }
    }

    mutating func checkGuards<Element>(_ label: String, _ contents: GuardedContents<Element>) {
        if let index = contents.firstUnwritten {
            complaints.append("\(label)[\(index)] was never written (\(contents.unwrittenCount) such elements)")
        }
        if let index = contents.firstOverrun {
            complaints.append("\(label)[\(index)] was written, \(contents.values.count) is the end")
        }
    }
}
