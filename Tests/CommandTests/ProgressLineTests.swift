import Foundation
import Testing

@testable import coppice
import TestSupport

@Suite struct TerminalLineTests {
    @Test func aLineIsNeverWiderThanTheTerminal() {
        let texts = [
            "", "training 5%", "study 42%, 123456 images/s, 1:02:03 left, best 98.12% (closest, k 500, PCA 50, 6000)",
            "データ集合 12%, 5 枚/s", "e\u{301}e\u{301}e\u{301}e\u{301} 👩‍👩‍👧 🇩🇪 ❤️ \u{200B}\u{7}\n\tend",
        ]
        for columns in Array(0...130) + [500] {
            for text in texts {
                for share in [0, 0.3, 1, -1, 2] {
                    let line = TerminalLine.bar(share, text, columns: columns)
                    #expect(TerminalLine.width(of: line) <= max(0, columns - 1), "\(columns): \(line)")
                    #expect(!line.contains("\n") && !line.contains("\u{7}"))
                }
            }
        }
    }

    @Test func whatDoesNotFitIsCut() {
        #expect(TerminalLine.fitted("training", to: 8) == "training")
        #expect(TerminalLine.fitted("training", to: 7) == "traini…")
        #expect(TerminalLine.fitted("training", to: 1) == "…" && TerminalLine.fitted("training", to: 0) == "")
        // A wide character does not fit in half.
        #expect(TerminalLine.fitted("数据集", to: 6) == "数据集" && TerminalLine.fitted("数据集", to: 5) == "数据…")
        #expect(TerminalLine.fitted("数据集", to: 4) == "数…")
        #expect(
            TerminalLine.bar(0.5, "half", columns: 80) == String(repeating: "█", count: 12)
                + String(repeating: "░", count: 12) + " half")
        #expect(TerminalLine.bar(0.5, "half", columns: 15) == "████░░░░░ half")
        #expect(TerminalLine.bar(0.5, "half", columns: 12) == "half")
    }
}

#if canImport(Glibc)
    import Glibc

    /// A terminal as a program sees one.
    private final class Terminal {
        let master: Int32
        let slave: FileHandle
        private(set) var output: [UInt8] = []

        init(columns: UInt16) throws {
            // What posix_openpt, unlockpt and ptsname do, which Swift's Glibc does not have.
            master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
            var (locked, number) = (Int32(0), Int32(0))
            let (lock, getNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
            try #require(master >= 0 && ioctl(master, lock, &locked) == 0 && ioctl(master, getNumber, &number) == 0)
            slave = try #require(FileHandle(forUpdatingAtPath: "/dev/pts/\(number)"))
            resize(columns)
            _ = fcntl(master, F_SETFL, O_NONBLOCK)
        }

        deinit { close(master) }

        func resize(_ columns: UInt16) {
            var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
            _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        }

        /// Takes what was written since.
        func read() -> String {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            output = []
            while true {
                let count = Glibc.read(master, &buffer, buffer.count)
                guard count > 0 else { break }
                output += buffer.prefix(count)
            }
            return String(decoding: output, as: UTF8.self)
        }
    }

    @Suite struct ProgressLineTests {
        /// At 80 columns, then 30, then 1: whatever is drawn over the line stays on it.
        @Test func theLineFollowsTheWindow() throws {
            let folder = try TemporaryFolder()
            let name = "a-data-set-with-a-name-that-is-rather-long"
            try SyntheticData(train: 300, test: 20).write(to: folder / name)
            try """
            runs: 2
            epochs: 100000
            experiments:
              - {pruning_method: none}
            """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
            let terminal = try Terminal(columns: 80)
            let process = Process()
            process.executableURL = program
            process.arguments = [
                "run", folder / "study.yaml", "--data", folder.path, "--dataset", name, "--out", folder / "out",
                "--device", "cpu", "--no-report",
            ]
            process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "200"]) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = terminal.slave
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            for columns in [80, 30, 1] as [UInt16] {
                terminal.resize(columns)
                // What was on its way.
                usleep(300_000)
                var text = terminal.read()
                var updates: [String] = []
                let limit = ContinuousClock.now + .seconds(30)
                while updates.count < 4, ContinuousClock.now < limit {
                    usleep(100_000)
                    text = terminal.read()
                    updates += text.components(separatedBy: "\r\u{1B}[K").dropFirst()
                }
                #expect(updates.count >= 4)
                for update in updates {
                    #expect(TerminalLine.width(of: update) < columns && !update.contains("\n"), "\(columns): \(update)")
                }
                if columns > 20 { #expect(updates.allSatisfy { $0.contains("%") }, "\(updates)") }
            }
            process.interrupt()
            process.waitUntilExit()
            #expect(process.terminationStatus == 130)
            // The line is gone.
            #expect(terminal.read().contains("\r\u{1B}[K"))
        }
    }
#endif
