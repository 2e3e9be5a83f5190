import Pruning
import Scoring
import Support
import Testing

/// The scores of training dynamics on planted numbers, which a reversed sign or another formula fails.
@Suite struct DynamicsScoreTests {
    /// Dynamics of one or more networks: each a list of epochs, each a value per sample.
    private func dynamics(
        probability: [[[Float]]]? = nil, margin: [[[Float]]]? = nil, isRight: [[[Float]]]? = nil,
        el2n: [[Float]] = [], grand: [[Float]] = [], entropy: [[Float]] = [], largest: [[Float]] = [],
        lead: [[Float]] = []
    ) -> TrainingDynamics {
        let perEpoch = probability ?? margin ?? isRight
        let perNetwork = [el2n, grand, entropy, largest, lead].first { !$0.isEmpty } ?? []
        return TrainingDynamics(
            networks: perEpoch?.count ?? perNetwork.count, epochs: perEpoch?[0].count ?? 1,
            count: perEpoch?[0][0].count ?? perNetwork[0].count,
            probability: (probability ?? []).flatMap { $0.joined() },
            margin: (margin ?? []).flatMap { $0.joined() }, isRight: (isRight ?? []).flatMap { $0.joined() },
            el2n: Array(el2n.joined()), grand: Array(grand.joined()), entropy: Array(entropy.joined()),
            largest: Array(largest.joined()), lead: Array(lead.joined()))
    }

    private func input(_ dynamics: TrainingDynamics, window: Int = 2) -> ScoreInput {
        var parameters = ScoreParameters()
        parameters.window = window
        return ScoreInput(count: dynamics.count, dynamics: dynamics, parameters: parameters)
    }

    /// The samples that a selection keeps, in the order of their ranks.
    private func kept(_ score: String, _ order: Order, of dynamics: TrainingDynamics) throws -> [Int] {
        let selection = Selection(score: score, order: order)
        let input = try selection.input(count: dynamics.count, classes: nil, from: input(dynamics))
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        return try selection.select(
            RequestedSize.count(dynamics.count - 1).resolved(of: dynamics.count), from: input, random: &random
        ).indices
    }

    @Test func scoresAfterAnEpochAreMeansOverTheNetworks() throws {
        // The last sample is hard for both networks, the first for one.
        let values: [[Float]] = [[0.5, 0.25, 1.25], [0.25, 0.25, 0.75]]
        let due: [Float] = [0.375, 0.25, 1]
        let el2n = dynamics(el2n: values)
        #expect(try Score.named("el2n").values(input(el2n)) == due)
        #expect(try kept("el2n", Score.named("el2n").paper.order, of: el2n) == [2, 0])
        let grand = dynamics(grand: values)
        #expect(try Score.named("grand").values(input(grand)) == due)
        #expect(try kept("grand", Score.named("grand").paper.order, of: grand) == [2, 0])
        let entropy = dynamics(entropy: values)
        #expect(try Score.named("entropy").values(input(entropy)) == due)
        #expect(try kept("entropy", Score.named("entropy").paper.order, of: entropy) == [2, 0])
    }

    @Test func uncertainAnswersAreHard() throws {
        // The likeliest class of the last sample is the least likely, and the nearest to the second.
        let largest = dynamics(largest: [[0.75, 1, 0.5], [1, 1, 0.5]])
        #expect(try Score.named("least-confidence").values(input(largest)) == [0.125, 0, 0.5])
        #expect(try kept("least-confidence", Score.named("least-confidence").paper.order, of: largest) == [2, 0])
        let lead = dynamics(lead: [[0.5, 1, 0.125], [0.75, 1, 0.125]])
        #expect(try Score.named("margin").values(input(lead)) == [0.625, 1, 0.125])
        #expect(try kept("margin", Score.named("margin").paper.order, of: lead) == [2, 0])
    }

    @Test func theAreaUnderTheMarginIsLowWhereTheLabelIsWrong() throws {
        let dynamics = dynamics(margin: [[[1, -2, 3], [2, -4, 3]], [[1, -2, 5], [4, 0, 5]]])
        #expect(try Score.named("aum").values(input(dynamics)) == [2, -2, 4])
        // The paper drops the mislabelled one first, and it is the hardest.
        #expect(try kept("aum", Score.named("aum").paper.order, of: dynamics) == [2, 0])
        #expect(try kept("aum", .hard, of: dynamics) == [1, 0])
    }

    @Test func forgettingCountsWhatWasRightAndIsWrong() throws {
        // Never forgotten; forgotten twice; learned late; never right; never right in one network of two.
        let first: [[Float]] = [[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 1, 0, 0]]
        #expect(
            try Score.named("forgetting").values(input(dynamics(isRight: [first]))) == [0, 2, 0, .infinity, .infinity])
        let second: [[Float]] = [[1, 1, 1, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 0], [1, 1, 1, 0, 1]]
        let both = dynamics(isRight: [first, second])
        // Four events, as many as epochs, and one.
        #expect(try Score.named("forgetting").values(input(both)) == [0, 1.5, 0.5, .infinity, 2.5])
        #expect(try kept("forgetting", Score.named("forgetting").paper.order, of: both) == [3, 4, 1, 2])
    }

    @Test func dynamicUncertaintyIsTheDeviationInWindows() throws {
        // Steady; rising; up and down.
        let rows: [[Float]] = [[0.5, 0, 0], [0.5, 0.25, 1], [0.5, 0.5, 0], [0.5, 0.75, 1]]
        let dynamics = dynamics(probability: [rows])
        let score = try Score.named("dyn-unc")
        func values(_ window: Int) throws -> [Double] {
            try score.values(input(dynamics, window: window)).map(Double.init)
        }
        func expect(_ values: [Double], _ due: [Double]) {
            for (value, due) in zip(values, due) { #expect(abs(value - due) < 1e-7, "\(values), \(due) is due") }
        }
        // The deviation of two numbers is their distance over sqrt(2), with a divisor of 1.
        let half = 0.5.squareRoot()
        expect(try values(2), [0, 0.25 * half, half])
        // 0, 1, 0 is 1/3 from its mean twice and 2/3 once; squares are 6/9, over 2.
        expect(try values(3), [0, 0.25, (1.0 / 3).squareRoot()])
        expect(try values(4), [0, (0.3125 / 3).squareRoot(), (1.0 / 3).squareRoot()])
        #expect(try kept("dyn-unc", score.paper.order, of: dynamics) == [2, 1])
        // A second network for which the order is the other way.
        let other = self.dynamics(probability: [rows, rows.map { [$0[2], $0[1], $0[0]] }])
        expect(try score.values(input(other)).map(Double.init), [half / 2, 0.25 * half, half / 2])
    }

    @Test func dualIsLowWhereTheNetworkIsSure() throws {
        // The same ups and downs about a low and a high mean; steady at 0.
        let rows: [[Float]] = [[0.125, 0.625, 0], [0.375, 0.875, 0], [0.125, 0.625, 0]]
        let dynamics = dynamics(probability: [rows])
        let score = try Score.named("dual")
        let values = try score.values(input(dynamics)).map(Double.init)
        let deviation = 0.25 * 0.5.squareRoot()
        for (value, due) in zip(values, [0.75 * deviation, 0.25 * deviation, 0]) {
            #expect(abs(value - due) < 1e-7, "\(values)")
        }
        #expect(try kept("dual", .hard, of: dynamics) == [0, 1])
        #expect(score.isHighHard)
    }

    @Test func windowsThatDoNotFitAreRefused() throws {
        let dynamics = dynamics(probability: [[[0.5], [0.25]]])
        for name in ["dyn-unc", "dual"] {
            for window in [3, 1, 0, -1] {
                let error = #expect(throws: ScoringError.self) {
                    try Score.named(name).values(input(dynamics, window: window))
                }
                guard case .badParameter("window", _, _) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(error?.description.contains("from 2 to score_epochs, 2") == true)
            }
            #expect(throws: ScoringError.missing(what: "training dynamics", score: name)) {
                try Score.named(name).values(ScoreInput(count: 1))
            }
        }
    }

    @Test func everyScoreOfDynamicsNeedsThem() throws {
        let names = Score.all.filter { $0.needs == [.dynamics] }.map(\.name)
        let due = [
            "el2n", "grand", "forgetting", "aum", "entropy", "least-confidence", "margin", "dyn-unc", "dual",
        ]
        #expect(names == due)
        for name in due {
            #expect(throws: ScoringError.missing(what: "training dynamics", score: name)) {
                try Score.named(name).values(ScoreInput(count: 1))
            }
        }
    }
}
