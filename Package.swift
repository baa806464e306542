// swift-tools-version: 6.2
// The targets stand in the order in which the data flow: trace bytes → events → calls → engine → verdict → report.
// A target imports only what stands above it.

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "ipitrace",
  products: [
    .executable(name: "ipitrace", targets: ["ipitrace"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    // The C boundary: one thin module per library, and no other target that sees C declarations of that library.
    .systemLibrary(
      name: "CTracefs", pkgConfig: "libtracefs", providers: [.apt(["libtracefs-dev", "libtraceevent-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    // The words that all share. Imports no module of ours.
    .target(
      name: "TraceTypes", dependencies: [.product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: strict),

    // Live kernel → trace file. Imports CTracefs and TraceTypes.
    .target(
      name: "TraceCapture",
      dependencies: ["CTracefs", "TraceTypes"],
      swiftSettings: strict),

    // Trace file → events. Imports the decompressors and TraceTypes.
    .target(name: "TraceDecoding", dependencies: ["CZlib", "CZstd", "TraceTypes"], swiftSettings: strict),

    // Events → calls. Imports TraceTypes.
    .target(
      name: "CallHistories",
      dependencies: ["TraceTypes", .product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: strict),

    // The kernel's cross-call engine, generation by generation. Imports no module of ours: it knows no trace and no clock.
    .target(
      name: "CallEngines", dependencies: [.product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: strict),

    // What an analysis found, as plain values, and the statistics of calls. Imports calls, and the names of rules.
    .target(
      name: "Verdicts",
      dependencies: [
        "CallEngines", "CallHistories", "TraceTypes",
        .product(name: "BasicContainers", package: "swift-collections"),
      ],
      swiftSettings: strict),

    // What drives an engine: here, the trace. Imports calls, engines and verdicts.
    .target(
      name: "Drivers",
      dependencies: ["CallEngines", "CallHistories", "TraceTypes", "Verdicts"],
      swiftSettings: strict),

    // Values → words, JSON, HTML, Perfetto. Imports the verdicts, and calls for `--calls` and `--perfetto`.
    .target(
      name: "Reports", dependencies: ["CallEngines", "CallHistories", "TraceTypes", "Verdicts"],
      exclude: ["Schema"], swiftSettings: strict),

    // The command line. It only wires.
    .executableTarget(
      name: "ipitrace",
      dependencies: [
        "CallEngines", "CallHistories", "Drivers", "Reports", "TraceCapture", "TraceDecoding", "TraceTypes", "Verdicts",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Tests mirror Sources. TestSupport holds what they share.
    .target(
      name: "TestSupport", dependencies: ["CZlib", "CZstd", "TraceDecoding", "TraceTypes"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(name: "TraceTypesTests", dependencies: ["TestSupport", "TraceTypes"], swiftSettings: strict),
    .testTarget(
      name: "TraceCaptureTests", dependencies: ["TestSupport", "TraceCapture", "TraceDecoding", "TraceTypes"],
      swiftSettings: strict),
    .testTarget(
      name: "TraceDecodingTests", dependencies: ["TestSupport", "TraceDecoding", "TraceTypes"], swiftSettings: strict),
    .testTarget(
      name: "CallHistoriesTests", dependencies: ["CallHistories", "TestSupport", "TraceTypes"], swiftSettings: strict),
    .testTarget(
      name: "CallEnginesTests",
      dependencies: ["CallEngines", "TestSupport", .product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: strict),
    .testTarget(
      name: "DriversTests",
      dependencies: [
        "CallEngines", "CallHistories", "Drivers", "TestSupport", "TraceDecoding", "TraceTypes", "Verdicts",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ReportsTests",
      dependencies: ["CallEngines", "CallHistories", "Reports", "TestSupport", "TraceTypes", "Verdicts"],
      swiftSettings: strict),
    .testTarget(
      name: "ipitraceTests", dependencies: ["TestSupport", "TraceCapture", "TraceDecoding", "TraceTypes", "ipitrace"],
      swiftSettings: strict),
  ]
)

// What `make fuzz` builds, with the parsers instrumented for it; nobody else needs it. It takes in the wiring of the command
// line, all but its entry point.
if Context.environment["IPITRACE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CallEngines", "CallHistories", "Drivers", "Reports", "TestSupport", "TraceCapture", "TraceDecoding",
        "TraceTypes", "Verdicts", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Fuzz/Fuzz", exclude: ["CommandLine/IPITrace.swift"], swiftSettings: strict))
}
