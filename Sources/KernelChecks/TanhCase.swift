import Compute
import Foundation

/// A tanh or its gradient, with values of every kind among the first.
struct TanhCase: KernelCase {
    /// Which operation, and of the gradient which of its results.
    enum Operation: String {
        case forward
        case backward = "plain"
        case transposed
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let features: Int
    let seed: UInt64
    var kernel: String { operation == .forward ? TanhForward.kernel : TanhBackward.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(features) features, seed \(seed)"
            + (operation == .forward ? "" : ", \(operation.rawValue)")
    }
    var form: String { operation.rawValue }
    var variety: String { "\(kernel), \(form)" }
    var cost: Int { 10 * batch.replicas * AwkwardBatch.room(for: batch.samples) * features }

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        let widths = operation == .backward ? [7, 33, 300] : [1, 7, 15, 16, 17, 31, 33, 300]
        return zip(widths, AwkwardBatch.all.suffix(widths.count)).map {
            TanhCase(operation: operation, batch: $1, features: $0, seed: seed)
        }
    }

    /// Around 0, where the coefficients begin and end to matter, and around the last value whose tanh is not 1.
    private static let special: [Float] = [
        .nan, 0, -0.0, .infinity, -.infinity, .leastNormalMagnitude, 1e-5, 9.02, (9.02 as Float).nextUp, -9.1, 1e20,
        .greatestFiniteMagnitude,
    ]

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let layout = batch.layout(features)
        let count = self.batch.replicas * self.batch.samples * features
        guard operation != .forward else {
            var values = zip(random.floats(count), random.floats(count, in: -10...10)).enumerated().map {
                $0.offset % 2 == 0 ? $0.element.0 : $0.element.1
            }
            // The last one stays as it is.
            for (place, value) in Self.special.prefix(count - 1).enumerated() { values[place] = value }
            let output = try batch.output(features, label: "output")
            try backend.run(
                TanhForward(
                    batch: batch.shape, features: features,
                    input: try batch.activation(values, values: features, masked: 1, label: "values"),
                    output: output.buffer))
            let actual = try output.contents()
            judge.checkGuards("output", actual)
            judge.check("output", layout.unpack(actual.values), equals: values.map(Self.truth))
            return judge.result
        }
        var outputs = random.floats(count)
        let limits: [Float] = [.nan, 1, -1, (1 as Float).nextDown, 0]
        for (place, value) in limits.prefix(count - 1).enumerated() { outputs[place] = value }
        let gradients = random.floats(count)
        let gradient = try GuardedBuffer(on: backend, layout.pack(gradients, masked: 0), label: "gradient")
        let transposed = try GuardedBuffer<Float>(
            on: backend, count: batch.layout(1).count * paddedColumns(features), label: "transposed gradient")
        try backend.run(
            TanhBackward(
                batch: batch.shape, features: features,
                output: try batch.activation(outputs, values: features, masked: 0.5, label: "output"),
                gradient: gradient.buffer, transposedGradient: operation == .transposed ? transposed.buffer : nil))
        let actual = try gradient.contents()
        judge.checkGuards("gradient", actual)
        let plain = layout.unpack(actual.values)
        judge.check(
            "gradient", plain,
            equals: zip(outputs, gradients).map { output, gradient in
                // A sum, a difference and two products.
                let due = Double(gradient) * (1 - Double(output)) * (1 + Double(output))
                return Bounded(due, error: Rounding.gamma(4) * due.magnitude + Rounding.least)
            })
        if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
            judge.complain("a masked sample has a gradient")
        }
        guard operation == .transposed else { return judge.result }
        judge.check(
            "transposed gradient", try transposed.contents(), equals: batch.transposedValues(plain, values: features),
            within: .exact)
        return judge.result
    }

    /// The coefficients of Kernels/tanh_forward.cl, the highest power first.
    private static let above: [Float] = [5.0762404e-8, 3.1589112e-5, 4.0085111e-3, 0.13785366, 1]
    private static let below: [Float] = [7.3744721e-10, 1.6174894e-6, 4.2074115e-4, 2.7737520e-2, 0.47118698, 1]

    /// tanh(x), off by what the ratio of polynomials is, by each of their roundings, and by what that of x² brings: half a
    /// relative change of x² at most, as the logarithm of tanh(x) / x has a derivative of x / sinh(2x) - 1 / 2 by that of x².
    private static func truth(_ x: Float) -> Bounded {
        let due = tanh(Double(x))
        guard x.isFinite, x.magnitude <= 9.02 else { return Bounded(due.isNaN ? .nan : due.rounded()) }
        let square = Bounded(Double(x) * Double(x))
        func polynomial(_ coefficients: [Float]) -> Bounded {
            coefficients.dropFirst().reduce(Bounded(coefficients[0])) { $0 * square + Bounded($1) }
        }
        let result = Bounded(x) * (polynomial(above) / polynomial(below))
        return Bounded(
            due,
            error: result.error + (result.value - due).magnitude + Rounding.unit / 2 * due.magnitude)
    }
}
