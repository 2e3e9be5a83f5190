// swift-tools-version: 6.2
import PackageDescription

// COPPICE_PACKAGE=1 (tools/package sets it) builds what users get: no test sees its internals.
let isPackage = Context.environment["COPPICE_PACKAGE"] == "1"

/// Every Swift target of the project: language mode 6 and no warning left standing.
let strict: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
    // Tests run on the optimised build (the CPU path is fifty times slower without), and see internals there too.
    + (isPackage ? [] : [.unsafeFlags(["-enable-testing"], .when(configuration: .release))])

// tools/sanitize sets one of these two.
let isFuzzing = Context.environment["COPPICE_FUZZ"] == "1"
let isThreaded = Context.environment["COPPICE_THREADS"] == "1"

/// Of what is above the data and the computing, and of most tests: sanitizers find as much without the optimiser, whose work
/// on what they have instrumented takes long. Tests that make much data themselves, or go through much of it, are optimised.
let light: [SwiftSetting] = strict + (isFuzzing || isThreaded ? [.unsafeFlags(["-Onone"])] : [])

// COPPICE_FUZZ=1 watches which code a file reaches and adds the program `fuzz`.
let watched: [SwiftSetting] =
    strict + (isFuzzing ? [.unsafeFlags(["-sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table"])] : [])
let fuzzer: [Target] = [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .executableTarget(
        name: "fuzz", dependencies: ["FuzzTargets", "CLibFuzzer"], path: "Tests/Fuzz/Program", swiftSettings: strict,
        // Only lld keeps the sections that libFuzzer's counters are in.
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
]

let package = Package(
    name: "coppice",
    products: [
        .executable(name: "coppice", targets: ["coppice"]),
        // Stand-ins for libOpenCL.so.1 and for a driver that tests load at run time; nothing of the program needs them.
        .library(name: "FaultyOpenCL", type: .dynamic, targets: ["FaultyOpenCL"]),
        .library(name: "BadDriver", type: .dynamic, targets: ["BadDriver"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLAPACK", providers: [.apt(["liblapacke-dev"])]),
        .target(name: "Support", dependencies: ["CCrypto"], swiftSettings: watched),
        .target(name: "CMPI", cSettings: [.unsafeFlags(["-Werror"])]),
        .target(name: "Ranks", dependencies: ["Support", "CMPI"], swiftSettings: strict),
        .target(name: "COpenCL", cSettings: [.unsafeFlags(["-Werror"])]),
        .target(name: "OpenCL", dependencies: ["Support", "COpenCL"], swiftSettings: strict),
        .target(name: "CLanes", cSettings: [.unsafeFlags(["-Werror"])]),
        .target(name: "Compute", dependencies: ["Support", "OpenCL", "CLanes"], swiftSettings: strict),
        .target(name: "CPicture", dependencies: ["CPNG", "CJPEG"], cSettings: [.unsafeFlags(["-Werror"])]),
        .target(
            name: "Datasets",
            dependencies: [
                "Support", "CZlib", "CPicture",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ], swiftSettings: watched),
        .target(
            name: "Clustering", dependencies: ["Support", "Compute", "Datasets", "Ranks", "CLAPACK"],
            swiftSettings: strict),
        .target(name: "Pruning", dependencies: ["Support"], swiftSettings: strict),
        .target(name: "Networks", dependencies: ["Support", "Compute", "Datasets"], swiftSettings: watched),
        .target(
            name: "Scoring", dependencies: ["Support", "Compute", "Datasets", "Clustering", "Pruning", "Networks"],
            swiftSettings: strict),
        .target(
            name: "Studies",
            dependencies: [
                "Support", "Compute", "Datasets", "Clustering", "Pruning", "Networks", "Scoring",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("BuiltIn")], swiftSettings: watched),
        .target(name: "KernelChecks", dependencies: ["Support", "Compute"], swiftSettings: light),
        .target(
            name: "Reports",
            dependencies: [
                "Support", "Studies", "Pruning", "Datasets", "CPNG",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            resources: [.embedInCode("Page")], swiftSettings: light),
        .executableTarget(
            name: "coppice",
            dependencies: [
                "Support", "Ranks", "OpenCL", "Compute", "Datasets", "Clustering", "Pruning", "Networks", "Scoring",
                "Studies", "KernelChecks", "Reports",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ], swiftSettings: light),
        .target(name: "FaultyOpenCL", path: "Tests/FaultyOpenCL", cSettings: [.unsafeFlags(["-Werror"])]),
        .target(name: "BadDriver", path: "Tests/BadDriver", cSettings: [.unsafeFlags(["-Werror"])]),
        .target(
            name: "TestSupport", dependencies: ["OpenCL", "Compute"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "SupportTests", dependencies: ["TestSupport", "Support"], swiftSettings: light),
        .testTarget(name: "RanksTests", dependencies: ["Support", "Ranks", "CMPI"], swiftSettings: light),
        // Run by launchers of MPI, in tools/check-mpi.
        .executableTarget(
            name: "mpi-check", dependencies: ["Support", "Ranks", "Compute", "Clustering"], path: "Tests/MPICheck",
            swiftSettings: light),
        .testTarget(
            name: "OpenCLTests", dependencies: ["TestSupport", "Support", "OpenCL", "COpenCL"], swiftSettings: light),
        .testTarget(
            name: "ComputeTests", dependencies: ["TestSupport", "Support", "OpenCL", "Compute", "CLanes"],
            swiftSettings: strict),
        .testTarget(
            name: "KernelChecksTests",
            dependencies: [
                "TestSupport", "Support", "KernelChecks", "Compute", "OpenCL", "Clustering", "Networks", "Datasets",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DatasetsTests", dependencies: ["TestSupport", "Support", "Datasets", "CZlib"], swiftSettings: light),
        .testTarget(
            name: "ClusteringTests",
            dependencies: ["TestSupport", "Support", "Clustering", "Compute", "OpenCL", "Datasets", "Ranks"],
            swiftSettings: strict),
        .testTarget(
            name: "PruningTests", dependencies: ["Support", "Pruning", "Ranks"], swiftSettings: strict),
        .testTarget(
            name: "ScoringTests",
            dependencies: [
                "TestSupport", "Support", "Scoring", "Pruning", "Compute", "OpenCL", "Clustering", "Networks",
                "Datasets",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "NetworksTests", dependencies: ["TestSupport", "Networks", "OpenCL", "Datasets"],
            swiftSettings: light),
        .testTarget(
            name: "StudiesTests",
            dependencies: [
                "TestSupport", "Support", "Studies", "Pruning", "Scoring", "Clustering", "Compute", "Datasets",
                "Networks",
            ],
            swiftSettings: light),
        .testTarget(
            name: "ReportsTests",
            dependencies: ["Support", "Reports", "Studies", "Pruning", "Scoring", "Datasets", "CPNG"],
            swiftSettings: light),
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "TestSupport", "FaultyOpenCL", "BadDriver", "Support", "OpenCL", "Compute", "Datasets", "Studies",
                "Reports",
            ], swiftSettings: light),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "TestSupport", "coppice", "Support", "Ranks", "Compute", "Datasets", "Networks", "Scoring", "Studies",
                "KernelChecks",
            ],
            swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: ["Support", "Ranks", "Datasets", "Clustering", "Networks", "Studies", "CZlib"],
            path: "Tests/Fuzz/Targets", swiftSettings: light),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: light),
    ] + (isFuzzing ? fuzzer : []),
    cLanguageStandard: .gnu2x
)

// Whole programs have a part of their own in tools/sanitize, and kernels are checked by `verify`: neither's tests run there.
if isFuzzing { package.targets.removeAll { ["KernelChecksTests", "CommandTests"].contains($0.name) } }

// COPPICE_THREADS=1 leaves the libraries that share memory between threads and their tests,
// which spares a machine without a build a third of the work.
if isThreaded {
    let kept = ["Support", "Ranks", "OpenCL", "Compute", "Datasets", "Clustering", "Networks", "Scoring", "Studies"]
    let parts = [
        "CZlib", "CPNG", "CJPEG", "CPicture", "CCrypto", "CLAPACK", "CMPI", "COpenCL", "CLanes", "Pruning",
        "TestSupport",
    ]
    let names = parts + kept + kept.map { $0 + "Tests" }
    package.targets.removeAll { !names.contains($0.name) }
    package.products = []
    package.dependencies.removeFirst(2)
}
