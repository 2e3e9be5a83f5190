/// A number of steps that so many networks take side by side.
package struct StudySteps: Hashable, Sendable {
    /// Networks that share the steps' launches.
    package var networks: Int
    /// Steps that they take, each of a full batch or of what is left of an epoch.
    package var steps: Int
}

extension StudyPlan {
    /// The steps of all runs, where up to `replicas` runs of one size that train alike share their launches, as a study's
    /// runs do; every size is taken to be kept as it was requested, and no epoch
    /// to leave samples out. One entry a training.
    package func steps(replicas: Int) -> [StudySteps] {
        var trainings: [StudySteps] = []
        for group in groupsThatTrainTogether {
            guard let experiment = group.first else { continue }
            let steps = experiment.recipe.steps(kept: experiment.size)
            var runs = group.reduce(0) { $0 + $1.runs }
            let together = max(1, replicas)
            while runs > 0 {
                trainings.append(StudySteps(networks: min(runs, together), steps: steps))
                runs -= together
            }
        }
        return trainings
    }

    private var groupsThatTrainTogether: [[Experiment]] {
        var groups: [[Experiment]] = []
        for experiment in experiments {
            if let place = groups.firstIndex(where: { $0[0].launchGroup == experiment.launchGroup }) {
                groups[place].append(experiment)
            } else {
                groups.append([experiment])
            }
        }
        return groups
    }
}
