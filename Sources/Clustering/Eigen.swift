import CLAPACK
import Foundation

/// The `count` largest eigenvalues, largest first, and their unit eigenvectors in rows [count][order] of a symmetric
/// row-major matrix of which only the upper triangle is read.
/// - Throws: ``ClusteringError/eigensolver(info:)``.
func largestEigenpairs(of matrix: [Double], order: Int, count: Int) throws(ClusteringError)
    -> (values: [Double], vectors: [Double])
{
    holdLinearAlgebraToOneThread
    let size = Int32(order)
    var copy = matrix
    var found: Int32 = 0
    var values = [Double](repeating: 0, count: order)
    var vectors = [Double](repeating: 0, count: order * count)
    var support = [Int32](repeating: 0, count: 2 * count)
    // A row-major upper triangle is a column-major lower one. LAPACK counts eigenvalues upwards, from 1.
    let info = LAPACKE_dsyevr(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "I")), CChar(UInt8(ascii: "L")), size, &copy,
        size, 0, 0, size - Int32(count) + 1, size, 0, &found, &values, &vectors, size, &support)
    guard info == 0, found == Int32(count) else { throw .eigensolver(info: Int(info)) }
    var ordered: [Double] = []
    ordered.reserveCapacity(vectors.count)
    for index in (0..<count).reversed() { ordered += vectors[index * order..<(index + 1) * order] }
    return (values[..<count].reversed(), ordered)
}

/// OpenBLAS's threads keep spinning after a call and would take the cores from the kernels; libraries without the
/// function have no threads.
private let holdLinearAlgebraToOneThread: Void = {
    if let symbol = dlsym(dlopen(nil, RTLD_NOW), "openblas_set_num_threads") {
        typealias SetThreads = @convention(c) (Int32) -> Void
        unsafeBitCast(symbol, to: SetThreads.self)(1)
    }
}()
