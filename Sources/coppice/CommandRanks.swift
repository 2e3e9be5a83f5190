import ArgumentParser
import Clustering
import Datasets
import Pruning
import Ranks
import Support

extension Communicator {
    /// Runs the work of a command on this rank and ends MPI. Call it on the thread that joined the ranks.
    func finishing(_ body: () throws -> Void) throws {
        do {
            try body()
            try close()
        } catch {
            var failure = Failure(error) ?? Failure("\(error)", exitCode: 70)
            if case ClusteringError.interrupted = error {
                // A signal may have reached only some of the ranks; if one ends with 75, all do.
                var codes = [UInt64(Signals.exitCode)]
                try? minimum(&codes)
                failure.exitCode = Int32(codes[0])
            }
            end(error, message: failure.message, exitCode: failure.exitCode) { Terminal.complain($0) }
            // The error has been printed.
            throw ExitCode(failure.exitCode)
        }
    }
}

/// Runs work that every rank does alike, so that every rank has the same error and one of them reports it.
func onAllRanks<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
        guard var failure = Failure(error) else { throw error }
        failure.isShared = true
        throw failure
    }
}

/// Refuses mini-batches, which run in one process only, on several ranks with the same options.
func refuseMiniBatches(_ kind: KMeans.Kind, on ranks: Communicator) throws {
    guard case .miniBatch = kind else { return }
    try onAllRanks {
        throw Failure(
            "mini-batches are for one process; --kmeans lloyd works on \(ranks.size) ranks", exitCode: 64)
    }
}

/// The checksum of values that must be the same on all ranks, for messages.
func checksum<Value: BitwiseCopyable>(_ values: [Value]) -> String {
    var checksum = Checksum()
    values.withUnsafeBytes { checksum.add($0) }
    return "checksum \(String(checksum.value, radix: 16))"
}

extension ClusteringOptions {
    /// The samples of all ranks with their classes, if they have any, and this rank's part of them. Collective.
    func samples(over ranks: Communicator, labels: LabelsOption, quiet: Bool) throws -> (Samples, RowSpread) {
        let name = "the samples of \(features ?? "--data")"
        guard features != nil else {
            let images = try ranks.sharingFailures { try data.load(quiet: quiet) }
            let spread = try RowSpread(images.train.count, over: ranks)
            try ranks.agree(on: [Agreement("the classes of the samples", checksum(images.train.labels))])
            return (
                Samples(
                    samples: images.train,
                    matrix: try FeatureMatrix(images.train, named: name, forComponents: pca != nil, spread: spread),
                    classes: ClassLabels(labels: images.train.labels, count: images.classCount),
                    classNames: images.classNames, files: images.trainFiles), spread
            )
        }
        let (opened, labelled) = try ranks.sharingFailures {
            let opened = try matrix.open(quiet: quiet)
            return (opened, try labels.label(opened.samples, quiet: quiet))
        }
        let spread = try RowSpread(opened.samples.count, over: ranks)
        try ranks.agree(on: [
            Agreement("the classes of the samples", labelled.map { checksum($0.samples.labels) } ?? "none")
        ])
        do throws(ClusteringError) {
            let matrix = try FeatureMatrix(opened.samples, named: name, forComponents: pca != nil, spread: spread)
            return (
                Samples(
                    samples: opened.samples, matrix: matrix,
                    classes: labelled.map { ClassLabels(labels: $0.samples.labels, count: $0.samples.classCount) },
                    classNames: labelled?.names ?? [], scaling: opened.scaling), spread
            )
        } catch {
            guard !error.isShared else { throw error }
            throw Failure(error, in: opened)
        }
    }
}
