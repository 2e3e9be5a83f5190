import Foundation
import TestSupport
import Testing

@testable import Support

/// Mounts as Linux lists them, and which of them has a file.
@Suite struct MountTableTests {
    private static let text = #"""
        24 1 0:22 / / rw,relatime - overlay overlay rw,lowerdir=/a\054nolock:/b,upperdir=/c,workdir=/d
        25 24 0:23 / /proc rw,nosuid shared:12 - proc proc rw
        30 24 8:1 /srv/results /results rw,noatime shared:7 master:3 propagate_from:2 - ext4 /dev/sda1 rw,errors=remount-ro
        31 24 0:41 / /mnt/my\040data\134x rw,relatime shared:9 - nfs4 server:/export\040one rw,vers=4.2,local_lock=none,addr=10.0.0.1
        32 31 0:42 / /mnt/my\040data\134x/old rw - nfs server:/old rw,vers=3,nolock,local_lock=all
        33 24 0:43 / /scratch rw,localflock shared:1 - lustre 10.0.0.2@tcp:/scratch rw,flock
        34 24 0:44 / /home rw - autofs systemd-1 rw,fd=5
        35 34 0:45 / /home rw - nfs server:/home rw,vers=3,local_lock=flock

        this is no mount
        40 24 0:50 / relative rw - tmpfs tmpfs rw
        """#

    private let table = MountTable(text)

    @Test func linesAreRead() throws {
        #expect(table.mounts.count == 8)
        #expect(table.mounts.map(\.type) == ["overlay", "proc", "ext4", "nfs4", "nfs", "lustre", "autofs", "nfs"])
        #expect(table.mounts[3].point == #"/mnt/my data\x"#)
        #expect(table.mounts[2].options == ["rw", "noatime", "rw", "errors=remount-ro"])
        // A comma in a value is no end of it.
        #expect(table.mounts[0].options.contains("lowerdir=/a,nolock:/b"))
    }

    /// A carriage return and an accent belong to a name, also where they make one character with a separator.
    @Test func namesAreReadByBytes() {
        let table = MountTable(
            "24 1 0:22 / / rw - ext4 /dev/a rw\n25 24 0:23 / /\u{301}x rw - nfs a:/b rw,nolock\r\n"
                + "26 24 0:24 / /y rw - nfs a:/b rw")
        #expect(table.mounts.map(\.point) == ["/", "/\u{301}x", "/y"])
        #expect(table.mount(ofResolved: "/\u{301}x/z")?.type == "nfs")
    }

    @Test(arguments: [
        ("/", "/"), ("/tmp/x", "/"), ("/results", "/results"), ("/results/a/b", "/results"), ("/results2", "/"),
        (#"/mnt/my data\x/a"#, #"/mnt/my data\x"#), (#"/mnt/my data\x/old/a"#, #"/mnt/my data\x/old"#),
        (#"/mnt/my data\x/older"#, #"/mnt/my data\x"#), ("/home/me", "/home"), ("/mnt", "/"),
    ])
    func theLongestMountAboveAPathHasIt(path: String, point: String) {
        #expect(table.mount(ofResolved: path)?.point == point)
    }

    @Test func theLastOfSeveralAtOnePlaceCoversTheOthers() {
        #expect(table.mount(ofResolved: "/home/me")?.type == "nfs")
    }

    @Test(arguments: [
        ("/tmp", nil), ("/results", nil), (#"/mnt/my data\x"#, nil), (#"/mnt/my data\x/old"#, "nolock"),
        ("/scratch/me", "localflock"), ("/home/me", "local_lock=flock"),
    ])
    func locksOfOneMachineAreKnownByTheirOptions(path: String, option: String?) {
        #expect(table.mount(ofResolved: path)?.localLockOption == option)
    }

    @Test(arguments: ["local_lock=all", "local_lock=flock", "nolock", "localflock", "localflocks"])
    func everyOptionCountsInEitherPlace(option: String) {
        for line in ["1 0 0:1 / / rw,\(option) - x y rw", "1 0 0:1 / / rw - x y rw,\(option),z=1"] {
            #expect(MountTable(line).mounts.first?.localLockOption == option, "\(line)")
        }
        #expect(MountTable("1 0 0:1 / / rw - x y rw,a\(option),\(option)=1,local_lock=posix").mounts.first != nil)
        #expect(
            MountTable("1 0 0:1 / / rw - x y rw,a\(option),\(option)=1,local_lock=posix").mounts.first?.localLockOption
                == nil)
    }

    /// A path that does not exist yet is on the mount of its folder, and links are followed.
    @Test func pathsAreResolved() throws {
        let folder = try TemporaryFolder()
        let real = try #require(realpath(folder.path, nil).map { String(cString: $0) })
        let table = MountTable("1 0 0:1 / / rw - x y rw\n2 1 0:2 / \(real)/a rw - x y rw\n")
        try FileManager.default.createDirectory(atPath: folder / "a", withIntermediateDirectories: true)
        for (name, target) in [("link", "a"), ("later", "a/none/yet"), ("loop", "loop/x"), ("self", "self")] {
            symlink(target, folder / name)
        }
        for (path, point) in [
            ("a", "a"), ("a/b/c", "a"), ("a/b/", "a"), ("link/b", "a"), ("later", "a"), ("later/x", "a"), ("b", ""),
        ] {
            #expect(table.mount(of: folder / path)?.point == (point.isEmpty ? "/" : "\(real)/\(point)"), "\(path)")
        }
        // Neither goes on for ever.
        _ = table.mount(of: folder / "loop")
        #expect(table.mount(of: folder / "self") == nil)
    }

    @Test func thisProcessHasARoot() {
        #expect(MountTable.ofThisProcess.mount(of: "/")?.point == "/")
        #expect(MountTable("").mount(of: "/") == nil)
    }
}
