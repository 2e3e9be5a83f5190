import Testing

@testable import OpenCL

@Suite struct StallWatchTests {
    /// What is said at `now` of calls with these numbers.
    private static func words(_ watch: inout StallWatch.Watch, _ numbers: [Int], at now: Double) -> [String] {
        let calls = numbers.map { StallWatch.Call(number: $0, call: "clFinish", subject: "call \($0)") }
        return watch.look(at: calls, seconds: now).map { event in
            switch event {
            case .stalled(let stall): "\(stall.subject) stalled \(stall.seconds)"
            case .ended(let stall): "\(stall.subject) ended \(stall.seconds)"
            }
        }
    }

    @Test func oneCallThatTakesLongIsReported() {
        var watch = StallWatch.Watch(limit: 10)
        #expect(Self.words(&watch, [1], at: 100) == [])
        #expect(Self.words(&watch, [1], at: 109.9) == [])
        #expect(Self.words(&watch, [1], at: 110) == ["call 1 stalled 10.0"])
        #expect(Self.words(&watch, [1], at: 119) == [])
        #expect(Self.words(&watch, [1], at: 121) == ["call 1 stalled 21.0"])
        #expect(Self.words(&watch, [], at: 122) == ["call 1 ended 22.0"])
        #expect(Self.words(&watch, [], at: 200) == [])
    }

    /// Many calls one after the other are progress, however long all of them take.
    @Test func manyCallsAreProgress() {
        var watch = StallWatch.Watch(limit: 10)
        for number in 0..<100 { #expect(Self.words(&watch, [number], at: Double(9 * number)) == []) }
    }

    @Test func callsOfSeveralThreadsAreToldApart() {
        var watch = StallWatch.Watch(limit: 10)
        #expect(Self.words(&watch, [1], at: 0) == [])
        #expect(Self.words(&watch, [1, 2], at: 6) == [])
        #expect(Self.words(&watch, [1, 2], at: 12) == ["call 1 stalled 12.0"])
        #expect(Self.words(&watch, [2], at: 17).sorted() == ["call 1 ended 17.0", "call 2 stalled 11.0"])
    }

    @Test func aStallNamesItsCallAndItsThread() {
        var watch = StallWatch.Watch(limit: 1)
        let call = StallWatch.Call(number: 7, call: "clFinish", subject: "device", thread: 9)
        #expect(watch.look(at: [call], seconds: 0).isEmpty)
        guard case .stalled(let stall)? = watch.look(at: [call], seconds: 2).first else {
            Issue.record("no stall")
            return
        }
        #expect(stall.number == 7 && stall.thread == 9)
    }
}
