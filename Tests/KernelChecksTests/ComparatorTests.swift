import Compute
import Foundation
import KernelChecks
import Testing

/// The comparator is what stands between a broken kernel and a green light, so it is tested for what it must refuse.
@Suite struct ComparatorTests {
    private static let tolerances = [
        Tolerance.exact, Tolerance(absolute: 1e-4), Tolerance(relative: 1e-4), Tolerance(ofLargest: 1e-4),
    ]
    private static let values: [Float] = (0..<37).map { Float($0) * 0.5 - 7 }

    @Test(arguments: tolerances)
    func acceptsTheSameValues(_ tolerance: Tolerance) {
        let comparison = compare(Self.values, Self.values, within: tolerance)
        #expect(comparison.complaint == nil)
        #expect(comparison.maxError == 0)
    }

    @Test(arguments: tolerances, [0, 18, 36])
    func refusesOneWrongElement(_ tolerance: Tolerance, _ index: Int) throws {
        var actual = Self.values
        actual[index] += 0.01
        let comparison = compare(actual, Self.values, within: tolerance)
        let complaint = try #require(comparison.complaint)
        #expect(complaint.hasPrefix("[\(index)] is \(actual[index])"))
        #expect(complaint.contains("1 of 37"))
        #expect(comparison.index == index)
        #expect(comparison.ratio > 1)
    }

    @Test(arguments: tolerances)
    func refusesASwappedPair(_ tolerance: Tolerance) {
        var actual = Self.values
        actual.swapAt(3, 4)
        #expect(compare(actual, Self.values, within: tolerance).complaint?.contains("2 of 37") == true)
        #expect(differences(actual, Self.values)?.contains("2 of 37") == true)
    }

    @Test func boundsAreWhatTheySay() {
        let expected: [Float] = [1, -100]
        #expect(compare([1.25, -100], expected, within: Tolerance(absolute: 0.25)).complaint == nil)
        #expect(compare([1.5, -100], expected, within: Tolerance(absolute: 0.25)).complaint != nil)
        #expect(compare([1, -101], expected, within: Tolerance(relative: 0.01)).complaint == nil)
        #expect(compare([1.5, -100], expected, within: Tolerance(relative: 0.01)).complaint != nil)
        #expect(compare([1.5, -100], expected, within: Tolerance(ofLargest: 0.01)).complaint == nil)
        #expect(compare([2.5, -100], expected, within: Tolerance(ofLargest: 0.01)).complaint != nil)
    }

    @Test func reportsTheElementWorstAgainstItsOwnBound() {
        let comparison = compare([1.5, -104], [1, -100], within: Tolerance(relative: 0.1))
        #expect(comparison.index == 0)
        #expect(comparison.maxError == 0.5)
        #expect(abs(comparison.bound - 0.1) < 1e-12)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func specialValuesAreEqualToTheirOwnKindAlone(_ special: Float) {
        let wide = Tolerance(absolute: 1e30, relative: 1e30, ofLargest: 1e30)
        #expect(compare([1, special], [1, special], within: wide).complaint == nil)
        for other in [Float.nan, .infinity, -.infinity, 0] where "\(other)" != "\(special)" {
            #expect(compare([1, special], [1, other], within: wide).complaint != nil, "\(special) for \(other)")
        }
    }

    @Test func anInfiniteExpectationDoesNotWidenTheOthers() {
        #expect(compare([.infinity, 2], [.infinity, 1], within: Tolerance(ofLargest: 0.1)).complaint != nil)
    }

    @Test(arguments: [0, 18, 36]) func refusesAnElementBeyondItsOwnBound(_ index: Int) {
        let truth = Self.values.indices.map { Bounded(Double(Self.values[$0]), error: $0 == index ? 1e-3 : 1) }
        #expect(compare(Self.values, truth).complaint == nil)
        var actual = Self.values
        for place in actual.indices { actual[place] += 0.01 }
        #expect(compare(actual, truth).complaint?.hasPrefix("[\(index)] is \(actual[index])") == true)
        #expect(compare(actual, truth).complaint?.contains("1 of 37") == true)
    }

    @Test func aBoundThatIsNoNumberAllowsNoError() {
        for bound in [Double.nan, .infinity] {
            #expect(compare([1], [Bounded(1.0, error: bound)]).complaint == nil)
            #expect(compare([1.5], [Bounded(1.0, error: bound)]).complaint != nil)
        }
        #expect(compare([.nan], [Bounded(Double.nan)]).complaint == nil)
        #expect(compare([1], [Bounded(Double.nan)]).complaint != nil)
    }

    /// Chains of random operations in float32 stay within the bounds of their double, and come near them: a bound that is
    /// off by a factor either fails here or is never half used.
    @Test(arguments: 1...20) func boundsHoldForFloats(seed: UInt64) {
        var inputs = CaseInputs(seed: seed)
        var nearest = 0.0
        for _ in 0..<2000 {
            let values = inputs.floats(4, in: 0.5...2)
            let exact = values.map { Bounded($0) }
            let results: [(Float, Bounded)] = [
                (values[0] + values[1], exact[0] + exact[1]),
                ((values[0] - values[1]) * values[2], (exact[0] - exact[1]) * exact[2]),
                ((values[0] * values[1] - values[2]) / values[3], (exact[0] * exact[1] - exact[2]) / exact[3]),
                ((values[0] * values[1]).squareRoot(), (exact[0] * exact[1]).squareRoot),
                (exp(values[0] - values[1]), (exact[0] - exact[1]).exponential),
                (log(values[0] * values[1]), (exact[0] * exact[1]).logarithm),
                (values.reduce(0, +), Bounded.sum(exact, additions: 3)),
            ]
            for (float, bounded) in results {
                let error = (Double(float) - bounded.value).magnitude
                #expect(error <= bounded.error)
                nearest = max(nearest, error / bounded.error)
            }
        }
        #expect(nearest > 0.5)
    }

    @Test func refusesAnotherCount() {
        #expect(compare([1], [1, 2], within: Tolerance(absolute: 9)).complaint != nil)
        #expect(compare([], [1], within: Tolerance(absolute: 9)).complaint != nil)
        #expect(differences([UInt8](), [1]) != nil)
    }

    // Guarded buffers, with the host in the part of a kernel.

    private static func judge(
        _ count: Int, _ values: [Float], writing written: [Float]? = nil, at offset: Int = 0
    ) throws -> CaseResult {
        let backend = CPUBackend()
        let output = try GuardedBuffer<Float>(on: backend, count: count, label: "output")
        try backend.write(written ?? values, to: output.buffer, at: offset)
        var judge = CaseJudge(Nameless())
        judge.check("output", try output.contents(), equals: values, within: .exact)
        return judge.result
    }

    @Test func acceptsAnOutputWrittenInFull() throws {
        let result = try Self.judge(37, Self.values)
        #expect(result.verdict == .right)
        #expect(result.message.isEmpty)
    }

    @Test func refusesAnUnwrittenElementAtEitherEnd() throws {
        let last = try Self.judge(37, Self.values, writing: Array(Self.values.dropLast()))
        #expect(last.verdict == .wrong)
        #expect(last.message.contains("output[36] was never written"))
        let first = try Self.judge(37, Self.values, writing: Array(Self.values.dropFirst()), at: 1)
        #expect(first.verdict == .wrong)
        #expect(first.message.contains("output[0] was never written"))
    }

    @Test func refusesAnOverrunByOne() throws {
        let result = try Self.judge(37, Self.values, writing: Self.values + [0])
        #expect(result.verdict == .wrong)
        #expect(result.message.contains("output[37] was written"))
    }

    @Test func aNaNOfAKernelIsNotTakenForUnwritten() throws {
        let result = try Self.judge(2, [.nan, 1])
        #expect(result.verdict == .right)
    }

    @Test func integersAreComparedExactly() throws {
        let backend = CPUBackend()
        for wrong in [[Int32(1), 2, 4], [2, 1, 3], [1, 2]] {
            let output = try GuardedBuffer<Int32>(on: backend, count: 3, label: "output")
            try backend.write(wrong, to: output.buffer)
            var judge = CaseJudge(Nameless())
            judge.check("output", try output.contents(), equals: [1, 2, 3])
            #expect(judge.result.verdict == .wrong)
        }
    }

    @Test func aNearTieMayGoEitherWayAndNoFurther() {
        func complaint(_ label: Int, _ distances: [Double], slack: Double) -> String? {
            nearestComplaint(label, among: distances.map { Candidate(distance: $0, slack: slack) })
        }
        // Both within rounding of each other: either.
        #expect(complaint(0, [1, 1.001, 9], slack: 0.001) == nil)
        #expect(complaint(1, [1, 1.001, 9], slack: 0.001) == nil)
        // Beyond it by a little, at either end of the list, and by much.
        #expect(complaint(1, [1, 1.003, 9], slack: 0.001)?.hasPrefix(" is 1 at 1.003, 0 is at 1.0") == true)
        #expect(complaint(0, [9, 5, 1.003, 1], slack: 0.001) != nil)
        #expect(complaint(2, [9, 5, 1.003, 1], slack: 0.001) != nil)
        #expect(complaint(3, [9, 5, 1.003, 1], slack: 0.001) == nil)
        #expect(complaint(2, [1, 1.001, 9], slack: 0.001) != nil)
        // Without rounding the lowest index wins a tie.
        #expect(complaint(0, [2, 2], slack: 0) == nil)
        #expect(complaint(1, [2, 2], slack: 0) != nil)
        // No label at all, and distances that are no numbers.
        #expect(complaint(-1, [1], slack: 1) != nil)
        #expect(complaint(1, [1], slack: 1) != nil)
        #expect(complaint(0, [.nan, 1], slack: 1) != nil)
    }

    @Test func anUpdatedBufferMayKeepItsValues() throws {
        let backend = CPUBackend()
        let output = try GuardedBuffer<Float>(on: backend, [1, 2, 3], label: "output")
        var judge = CaseJudge(Nameless())
        judge.check("output", try output.contents(), equals: [1, 2, 3], within: .exact)
        #expect(judge.result.verdict == .right)
        judge.check("output", try output.contents(), equals: [1, 2, 4], within: .exact)
        #expect(judge.result.verdict == .wrong)
    }

    @Test(arguments: [1, 2, 3], [1, 15, 16, 17, 40])
    func tileLayoutsGoThereAndBack(_ replicas: Int, _ samples: Int) {
        let layout = TileLayout(replicas: replicas, samples: samples, values: 3, on: CPUBackend())
        let plain = (0..<replicas * samples * 3).map { Float($0) }
        let packed = layout.pack(plain, masked: -1)
        #expect(packed.count == replicas * ((samples + 15) / 16) * 3 * 16)
        #expect(layout.unpack(packed) == plain)
        #expect(layout.maskedValues(packed).allSatisfy { $0 == -1 })
        #expect(layout.maskedValues(packed).count + plain.count == packed.count)
        // Sample 1's value 2 of the last replica stands in lane 1 of the third row of the first tile.
        if samples > 1 {
            let row = (replicas - 1) * layout.tiles * 3 + 2
            #expect(packed[row * 16 + 1] == plain[((replicas - 1) * samples + 1) * 3 + 2])
        }
    }
}

private struct Nameless: KernelCase {
    var kernel: String { "host" }
    var name: String { "host" }
    var form: String { "host" }
    var cost: Int { 1 }
    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult { CaseJudge(self).result }
}
