import Testing

@testable import Compute
import Support

/// The C loops of every instruction set that this processor has, against plain loops in Double.
@Suite struct LaneLoopsTests {
    private static let awkward = [1, 2, 3, 4, 5, 6, 7, 9, 13]

    /// Different values in [-1, 1) for each place and seed.
    static func values(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return (0..<count).map { _ in Float(random.nextUniform(-1, 1)) }
    }

    /// Whether a sum of `terms` products in any order, each rounded, may be `result` (Higham 2002, section 3.1).
    private static func isClose(_ result: Float, _ exact: Double, magnitude: Double, terms: Int) -> Bool {
        abs(Double(result) - exact) <= Double(terms + 2) * Double(Float.ulpOfOne) * magnitude
    }

    /// What a loop left in its output, which has one vector more at either end than it may write.
    struct Output {
        static let canary = Float(bitPattern: 0x7FC0_1234)
        var floats: [Float]

        init(vectors: Int) { floats = Array(repeating: Output.canary, count: (vectors + 2) * 16) }

        func isUntouched(_ vector: Int) -> Bool {
            floats[(vector + 1) * 16..<(vector + 2) * 16].allSatisfy { $0.bitPattern == Output.canary.bitPattern }
        }
        subscript(_ vector: Int, _ lane: Int) -> Float { floats[(vector + 1) * 16 + lane] }

        mutating func write(_ body: (UnsafeMutablePointer<Float>) -> Void) {
            func past(_ start: UnsafeMutablePointer<Float>) { body(start + 16) }
            past(&floats)
        }
    }

    @Test("Products are those of a loop in Double", arguments: awkward, awkward)
    func products(outputs: Int, columns: Int) {
        for (nest, seed) in [(1, 1, 1), (2, 3, 5), (1, 1, 37), (3, 2, 1), (0, 1, 1)].enumerated().map({ ($1, $0) }) {
            // Columns outermost in x, outputs innermost in w, and a gap of a vector in y after each output.
            let (planes, rows, taps) = nest
            let shape = LaneProducts(
                planes: planes, rows: rows, taps: taps, outputs: outputs, columns: columns,
                x_plane: rows * taps, x_row: taps, x_tap: 1, x_column: planes * rows * taps,
                w_plane: rows * taps * outputs, w_row: taps * outputs, w_tap: outputs, w_output: 1,
                y_output: columns + 1, y_column: 1)
            let terms = planes * rows * taps
            let x = Self.values(columns * terms * 16, seed: UInt64(seed))
            let w = Self.values(max(terms, 1) * outputs, seed: UInt64(seed) + 100)
            let bias = Self.values(outputs, seed: UInt64(seed) + 200)
            for start in [bias, nil] {
                var results: [[Float]] = []
                for loops in LaneLoops.all {
                    var y = Output(vectors: outputs * (columns + 1))
                    y.write { target in
                        if let start {
                            loops.products(shape, x, w, start: start, into: target)
                        } else {
                            loops.products(shape, x, w, into: target)
                        }
                    }
                    for output in 0..<outputs {
                        for column in 0..<columns {
                            for lane in 0..<16 {
                                var exact = Double(start?[output] ?? 0)
                                var magnitude = abs(exact)
                                for term in 0..<terms {
                                    let product =
                                        Double(x[(column * terms + term) * 16 + lane])
                                        * Double(w[term * outputs + output])
                                    exact += product
                                    magnitude += abs(product)
                                }
                                let result = y[output * (columns + 1) + column, lane]
                                #expect(
                                    Self.isClose(result, exact, magnitude: magnitude, terms: terms),
                                    "\(loops.name): output \(output), column \(column), lane \(lane) of \(nest)")
                            }
                        }
                        #expect(y.isUntouched(output * (columns + 1) + columns), "\(loops.name) wrote into the gap")
                    }
                    #expect(y.isUntouched(-1), "\(loops.name) wrote before its output")
                    results.append(y.floats)
                }
                Self.expectEqualBits(results)
            }
        }
    }

    @Test("Strides may be negative or 0, for a convolution's gradient and for biases")
    func strides() {
        let x = Self.values(12 * 16, seed: 1)
        let w = Self.values(12, seed: 2)
        for loops in LaneLoops.all {
            // Taps backwards from vector 8, one weight for all.
            let shape = LaneProducts(
                planes: 1, rows: 2, taps: 3, outputs: 2, columns: 2, x_plane: 0, x_row: -4, x_tap: -1, x_column: 3,
                w_plane: 0, w_row: 0, w_tap: 0, w_output: 5, y_output: 2, y_column: 1)
            var y = Output(vectors: 4)
            y.write { target in
                func run(_ start: UnsafePointer<Float>) { loops.products(shape, start + 8 * 16, w, into: target) }
                run(x)
            }
            for (output, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                for lane in 0..<16 {
                    var (exact, magnitude) = (0.0, 0.0)
                    for vector in [8, 7, 6, 4, 3, 2] {
                        let product = Double(x[(vector + 3 * column) * 16 + lane]) * Double(w[5 * output])
                        exact += product
                        magnitude += abs(product)
                    }
                    let result = y[output * 2 + column, lane]
                    #expect(Self.isClose(result, exact, magnitude: magnitude, terms: 6), "\(loops.name)")
                }
            }
        }
    }

    @Test("Correlations are added to what is there, and are those of a loop in Double", arguments: awkward, awkward)
    func correlations(taps: Int, outputs: Int) {
        for (rows, columns) in [(1, 1), (3, 7), (2, 28)] {
            let width = columns + taps - 1
            let shape = LaneCorrelations(
                rows: rows, columns: columns, taps: taps, outputs: outputs, x_row: width, d_row: columns,
                d_output: rows * columns, sums_tap: outputs)
            let x = Self.values(rows * width * 16, seed: UInt64(columns))
            let d = Self.values(outputs * rows * columns * 16, seed: UInt64(columns) + 100)
            let before = Self.values(taps * outputs * 16, seed: UInt64(columns) + 200)
            var results: [[Float]] = []
            for loops in LaneLoops.all {
                var sums = Output(vectors: taps * outputs)
                sums.floats.replaceSubrange(16..<16 + before.count, with: before)
                sums.write { loops.correlations(shape, x, d, addingTo: $0) }
                for tap in 0..<taps {
                    for output in 0..<outputs {
                        for lane in 0..<16 {
                            var exact = Double(before[(tap * outputs + output) * 16 + lane])
                            var magnitude = abs(exact)
                            for row in 0..<rows {
                                for column in 0..<columns {
                                    let product =
                                        Double(x[(row * width + column + tap) * 16 + lane])
                                        * Double(d[((output * rows + row) * columns + column) * 16 + lane])
                                    exact += product
                                    magnitude += abs(product)
                                }
                            }
                            let result = sums[tap * outputs + output, lane]
                            #expect(
                                Self.isClose(result, exact, magnitude: magnitude, terms: rows * columns + 1),
                                "\(loops.name): tap \(tap), output \(output), lane \(lane) of \(rows)x\(columns)")
                        }
                    }
                }
                #expect(sums.isUntouched(-1) && sums.isUntouched(taps * outputs), "\(loops.name) wrote outside")
                results.append(sums.floats)
            }
            Self.expectEqualBits(results)
        }
    }

    @Test("The largest score is kept, the first of equals", arguments: [1, 3, 6], [1, 5, 16])
    func keepLargest(rows: Int, vectors: Int) {
        let scores = Self.values(rows * vectors * 16, seed: 3).map { ($0 * 4).rounded() }
        for loops in LaneLoops.all {
            var best = [Float](repeating: 0, count: vectors * 16)
            var index = [Int32](repeating: -1, count: vectors * 16)
            loops.keepLargest(scores, rows: rows, first: 40, best: &best, index: &index)
            for element in 0..<vectors * 16 {
                var (largest, place) = (Float(0), Int32(-1))
                for row in 0..<rows where scores[row * vectors * 16 + element] > largest {
                    largest = scores[row * vectors * 16 + element]
                    place = 40 + Int32(row)
                }
                #expect(best[element] == largest && index[element] == place, "\(loops.name), element \(element)")
            }
        }
    }

    @Test("The three largest scores are kept, of equals the first ones", arguments: [1, 3, 6], [1, 5, 16])
    func keepThree(rows: Int, vectors: Int) {
        let columns = vectors * 16
        let scores = Self.values(2 * rows * columns, seed: 3).map { ($0 * 4).rounded() }
        for loops in LaneLoops.all {
            var best = [Float](repeating: -.infinity, count: 3 * columns)
            var index = [Int32](repeating: -1, count: 2 * columns)
            for pass in 0..<2 {
                loops.keepThree(
                    Array(scores[(pass * rows * columns)...]), rows: rows, first: 40 + pass * rows, best: &best,
                    index: &index)
            }
            for element in 0..<columns {
                let order = (0..<2 * rows).sorted {
                    (-scores[$0 * columns + element], $0) < (-scores[$1 * columns + element], $1)
                }
                for place in 0..<min(3, order.count) {
                    let at = place * columns + element
                    #expect(best[at] == scores[order[place] * columns + element], "\(loops.name)")
                    if place < 2 { #expect(index[at] == 40 + Int32(order[place]), "\(loops.name)") }
                }
            }
        }
    }

    @Test("The first vector with a larger lane is found, and no NaN", arguments: [1, 3, 6], [1, 5, 16])
    func findLarger(rows: Int, vectors: Int) {
        var scores = Self.values(rows * vectors * 16, seed: 4)
        for element in stride(from: 0, to: scores.count, by: 7) { scores[element] = .nan }
        for loops in LaneLoops.all {
            for bound in [Float(-10), 0.5, 0.9, 10] {
                var bounds = [Float](repeating: bound, count: vectors * 16)
                bounds[3] = .infinity
                let hits = (0..<rows * vectors).filter { place in
                    (0..<16).contains { scores[place * 16 + $0] > bounds[place % vectors * 16 + $0] }
                }
                for from in 0...rows * vectors {
                    let found = loops.findLarger(scores, than: bounds, rows: rows, vectors: vectors, from: from)
                    #expect(found == hits.first { $0 >= from } ?? rows * vectors, "\(loops.name), from \(from)")
                }
            }
        }
    }

    @Test(
        "Adam is that of a scalar loop, to the bit", arguments: [1, 15, 16, 17, 100],
        [AdamStep.Decay.none, .penalty(0.03), .decoupled])
    func adam(count: Int, decay: AdamStep.Decay) {
        let gradients = Self.values(count, seed: 1)
        let parameters = Self.values(count + 1, seed: 2)
        let first = Self.values(count + 1, seed: 3)
        let second = Self.values(count + 1, seed: 4).map(abs)
        let step = LaneAdam(
            count: count, one_minus_beta1: 0.1, beta2: 0.999,
            one_minus_beta2: 0.001, step_size: 0.01, correction: 1.3, epsilon: 1e-8, weight_decay: 0.03,
            kept: 0.9)
        var (expected, m, v) = (parameters, first, second)
        for index in 0..<count {
            var gradient = gradients[index]
            if case .penalty = decay { gradient += parameters[index] * 0.03 }
            if case .decoupled = decay { expected[index] *= 0.9 }
            m[index] += (gradient - m[index]) * 0.1
            v[index] = v[index] * 0.999 + gradient * gradient * 0.001
            expected[index] -= 0.01 * m[index] / (v[index].squareRoot() * 1.3 + 1e-8)
        }
        for loops in LaneLoops.all {
            var (moved, mean, square) = (parameters, first, second)
            loops.adam(
                step, decay, gradients: gradients, parameters: &moved, firstMoments: &mean, secondMoments: &square)
            #expect(Self.equalBits(moved, expected), "\(loops.name): parameters")
            #expect(Self.equalBits(mean, m) && Self.equalBits(square, v), "\(loops.name): moments")
        }
    }

    @Test("SGD is that of a scalar loop, to the bit", arguments: [1, 15, 16, 17, 100])
    func sgd(count: Int) {
        let gradients = Self.values(count, seed: 1)
        let parameters = Self.values(count + 1, seed: 2)
        let before = Self.values(count + 1, seed: 3)
        let step = LaneSgd(count: count, learning_rate: 0.01, momentum: 0.9, weight_decay: 0.03)
        var (plain, expected, velocities) = (parameters, parameters, before)
        for index in 0..<count {
            let change = gradients[index] + parameters[index] * 0.03
            plain[index] -= 0.01 * change
            velocities[index] = change + velocities[index] * 0.9
            expected[index] -= 0.01 * velocities[index]
        }
        for loops in LaneLoops.all {
            var (moved, kept) = (parameters, before)
            loops.sgd(step, gradients: gradients, parameters: &moved, velocities: &kept)
            #expect(Self.equalBits(moved, expected) && Self.equalBits(kept, velocities), "\(loops.name): momentum")
            moved = parameters
            loops.sgd(step, gradients: gradients, parameters: &moved, velocities: nil)
            #expect(Self.equalBits(moved, plain), "\(loops.name)")
        }
    }

    @Test("A chain of multiply-adds is that of a loop in Double", arguments: [0, 1, 7])
    func multiplyAddChains(steps: Int) {
        let before = Self.values(FmaPeak.unit, seed: 5)
        for loops in LaneLoops.all {
            var after = before
            loops.multiplyAddChains(&after, steps: steps)
            for (start, result) in zip(before, after) {
                let exact = (0..<steps).reduce(Double(start)) { value, _ in value * 0.75 + 0.25 }
                #expect(Self.isClose(result, exact, magnitude: 1, terms: 2), "\(loops.name)")
            }
        }
    }

    /// The same numbers, with any NaN the same as any other.
    static func equalBits(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
    }

    /// Those with a fused multiply-add, all but the plainest, agree to the bit.
    private static func expectEqualBits(_ results: [[Float]]) {
        for other in results.dropFirst(2) { #expect(other.map(\.bitPattern) == results[1].map(\.bitPattern)) }
    }
}
