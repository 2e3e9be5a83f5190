import Compute
import Foundation
import OpenCL
import Testing

@testable import Studies

/// Faults of the driver through a whole study. Every test is a process of its own, which alone uses the double of the
/// OpenCL library.
@Suite(.enabled(if: hasProcessor, "this host has no OpenCL CPU")) struct FaultTests {
    /// The codes that drivers return most: no room (three), the device gone (four, NVIDIA's after an illegal access among
    /// them), a compiler's failure, objects that the driver denies, and others.
    private static let codes: [Int32] = [-4, -5, -6, -2, -34, -36, -9999, -11, -45, -48, -38, -30, -59, -14, -1]

    /// `$COPPICE_FAULT_STRIDE`: only every so many calls fail, which a sanitizer's build needs to end in time.
    private static let interval = Int(ProcessInfo.processInfo.environment["COPPICE_FAULT_STRIDE"] ?? "") ?? 1

    /// For every n, call n fails once. The code changes with every call of a function, and a function that has fewer
    /// calls than there are codes gets all of them at each: every function meets every code.
    @Test func everyCallMayFailOnce() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            let functions = try study.measure().functions
            #expect(functions.count > 500)
            var calls: [String: [Int]] = [:]
            for (index, function) in functions.enumerated() { calls[function, default: []].append(index + 1) }
            for (function, numbers) in calls {
                for (turn, number) in numbers.enumerated() where number % FaultTests.interval == 0 {
                    let all = numbers.count < FaultTests.codes.count
                    for code in all ? FaultTests.codes : [FaultTests.codes[turn % FaultTests.codes.count]] {
                        try FaultTests.disturb(study, "fail=\(number):\(code)", function)
                    }
                }
            }
        }
    }

    /// The same for the calls around programs when these come from the cache.
    @Test func everyCallAroundCachedProgramsMayFailOnce() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            let functions = try study.measure(cache: study.cache).functions
            let around = ["clCreateProgramWithBinary", "clBuildProgram", "clGetProgramInfo", "clReleaseProgram"]
            #expect(functions.contains(around[0]) && !functions.contains("clCreateProgramWithSource"))
            for (index, function) in functions.enumerated() where around.contains(function) {
                let code = FaultTests.codes[index % FaultTests.codes.count]
                // A binary that is refused is no error: the source is compiled.
                let error = try FaultTests.disturb(study, "fail=\(index + 1):\(code)", function, cache: study.cache)
                #expect(error == nil, "\(function): \(String(describing: error))")
            }
        }
    }

    /// From call n on nothing works any more. What is finished by then stays, and the sentence counts it.
    @Test func theDeviceMayBeLostAtAnyCall() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            let functions = try study.measure().functions
            let last = try #require(functions.lastIndex(of: "clEnqueueReadBuffer"))
            var kept: Set<Int> = []
            for (turn, number) in stride(from: 1, through: last + 1, by: 5).enumerated() {
                let code = [-2, -36, -9999, -34][turn % 4]
                let error = try FaultTests.disturb(study, "lose=\(number):\(code)", functions[number - 1])
                guard case StudyError.device(let cause, let finished, TinyStudy.runs)? = error else {
                    // Before there is anything to keep the device's own error is all.
                    #expect(error is ComputeError, "\(number): \(String(describing: error))")
                    continue
                }
                #expect(cause.isDeviceLost && (error as? StudyError)?.category == .temporary, "\(cause)")
                kept.insert(finished)
            }
            #expect(kept == [0, 2])
        }
    }

    /// A command is accepted and never run, which shows in its event alone.
    @Test func everyCommandMayBeDroppedAndOnlyItsEventKnows() async {
        await #expect(processExitsWith: .success) { try FaultTests.dropCommands("async") }
    }

    /// A command is accepted and never run, which shows only in a later call that waits.
    @Test func everyCommandMayBeDroppedAndOnlyALaterCallKnows() async {
        await #expect(processExitsWith: .success) { try FaultTests.dropCommands("late") }
    }

    private static func dropCommands(_ kind: String) throws {
        let study = try TinyStudy()
        let commands = try study.measure().commands
        #expect(commands > 100)
        for number in 1...commands where number % interval == 0 {
            let code = [-5, -4, -9999, -14, -2][number % 5]
            try disturb(study, "\(kind)=\(number):\(code)", "command \(number)")
        }
    }

    /// A device that does nothing and says nothing can give any figures, but end the process it cannot.
    @Test func resultsMayBeGarbage() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            let commands = try study.measure().commands
            var refused = 0
            for number in stride(from: 1, through: commands, by: 2) {
                let directory = study.directory()
                let (_, error) = study.run("silent=\(number)", in: directory)
                #expect(study.faulty.live == 0 && study.faulty.misuses == 0, "command \(number)")
                #expect(study.damage(in: directory).isEmpty, "command \(number)")
                study.remove(directory)
                guard let error = error as? StudyError else { continue }
                #expect(error.category == .unavailable, "\(error)")
                refused += 1
            }
            #expect(refused > 0)
        }
    }

    /// Memory runs out where buffers are made, or where they are first used: fewer networks train together, and the
    /// results stay the same.
    @Test func memoryMayRunOut() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            _ = try study.measure()
            for kind in ["room", "lazy"] {
                var shrunk = 0
                var failed = 0
                var bytes = 1000.0
                while bytes < 1e8 {
                    let faults = "\(kind)=\(Int(bytes))"
                    bytes *= 1.15
                    var notices: [String] = []
                    let error = try FaultTests.disturb(study, faults, faults) { notices = $0 }
                    if error != nil { failed += 1 }
                    if let error = error as? StudyError { #expect(error.category == .unavailable, "\(error)") }
                    guard let notice = notices.first, error == nil else { continue }
                    #expect(notice.hasSuffix("going on with 1 at once") && notices.count == 1, "\(notices)")
                    shrunk += 1
                }
                #expect(shrunk > 0 && failed > 0, "\(kind): \(shrunk) shrunk, \(failed) failed")
            }
        }
    }

    /// A device that has little of something does the same, or says what it lacks.
    @Test func limitsMayBeTiny() async {
        await #expect(processExitsWith: .success) {
            let study = try TinyStudy()
            _ = try study.measure()
            for limit in ["local=64", "local=1024", "group=1", "group=16", "alloc=512", "alloc=65536", "global=4096"] {
                let error = try FaultTests.disturb(study, limit, limit)
                #expect(error.map { "\($0)".contains("\n") } != true, "\(limit): \(String(describing: error))")
            }
        }
    }

    /// Runs the study under `faults`: it ends well or with an error of its own, keeps what is done whole, gives everything
    /// back, and another run without faults completes it with the results of one that was never disturbed.
    @discardableResult private static func disturb(
        _ study: TinyStudy, _ faults: String, _ place: String, cache: ProgramCache? = nil,
        _ hear: ([String]) -> Void = { _ in }
    ) throws -> (any Error)? {
        let directory = study.directory()
        defer { study.remove(directory) }
        let (notices, error) = study.run(faults, in: directory, cache: cache)
        hear(notices)
        #expect(study.faulty.live == 0, "\(faults) in \(place): \(study.faulty.live) handles are left")
        #expect(study.faulty.misuses == 0, "\(faults) in \(place): handles were used after their release")
        if let error {
            #expect(error is StudyError || error is ComputeError, "\(faults) in \(place): \(error)")
            #expect(!"\(error)".isEmpty)
        }
        #expect(study.damage(in: directory).isEmpty, "\(faults) in \(place)")
        // Where not even the directory was made there is nothing to go on from.
        if error != nil {
            guard FileManager.default.fileExists(atPath: directory) else { return error }
            let (_, second) = study.run("", in: directory)
            #expect(second == nil, "\(faults) in \(place): \(String(describing: second))")
        }
        #expect(try study.essence(of: directory) == study.expected, "\(faults) in \(place)")
        return error
    }
}

private let hasProcessor = ((try? Device.all()) ?? []).contains { $0.kind == .cpu }
