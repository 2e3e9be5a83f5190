// Keeps the candidate with the smallest sum of distances (the first of several) as centre `step`, and draws the
// candidates of the next centre in proportion to the distances that are left: first a block, then a point in it. Never
// a point of distance zero, unless all are, when any point will do. With step -1 all candidates become point `first`.
//
// One work-group of GROUP work-items in all.
// Defines: D, P, TRIALS, BLOCK, GROUP.

static inline int draw(
    const float uniform_number, const float total, __global const float *block_sums, __global const float *weights,
    const int blocks, const int count) {
    if (!(total > 0.0f)) return min((int)(uniform_number * (float)count), count - 1);
    float left = uniform_number * total;
    int block = 0;
    for (int candidate = 0; candidate < blocks; candidate++) {
        const float sum = block_sums[candidate];
        if (sum > 0.0f) {
            block = candidate;
            if (left < sum) break;
            left -= sum;
        }
    }
    int chosen = block * BLOCK;
    const int end = min(chosen + BLOCK, count);
    for (int point = chosen; point < end; point++) {
        const float weight = weights[point];
        if (weight > 0.0f) {
            chosen = point;
            if (left < weight) break;
            left -= weight;
        }
    }
    return chosen;
}

GROUP_KERNEL void kmeans_plus_plus_pick(
    __global const float *points, __global const float *distances, __global const float *block_sums,
    __global const float *uniforms, __global int *state, __global int *chosen, __global int *candidates,
    __global float *coordinates, const int count, const int tiles, const int blocks, const int centres,
    const int step, const int first) {
    __local float totals[TRIALS];
    __local int drawn[TRIALS];
    const int lane = get_local_id(0);
    for (int trial = lane; trial < TRIALS; trial += GROUP) {
        float sum = 0.0f;
        if (step >= 0) {
            for (int block = 0; block < blocks; block++) sum += block_sums[trial * blocks + block];
        }
        totals[trial] = sum;
        drawn[trial] = step >= 0 ? candidates[trial] : first;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    int best = 0;
    for (int trial = 1; trial < TRIALS; trial++) {
        if (totals[trial] < totals[best]) best = trial;
    }
    if (lane == 0) state[0] = step >= 0 ? best : 0;
    if (step >= 0) {
        for (int trial = lane; trial < TRIALS; trial += GROUP) {
            if (trial == best) chosen[step] = drawn[trial];
            if (step + 1 < centres) {
                drawn[trial] = draw(
                    uniforms[(step + 1) * TRIALS + trial], totals[best], block_sums + best * blocks,
                    distances + (size_t)best * tiles * P, blocks, count);
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int element = lane; element < TRIALS * D; element += GROUP) {
        const int dimension = element / TRIALS;
        const int trial = element - dimension * TRIALS;
        const int tile = drawn[trial] / P;
        coordinates[element] = points[((size_t)tile * D + dimension) * P + (drawn[trial] - tile * P)];
    }
    for (int trial = lane; trial < TRIALS; trial += GROUP) candidates[trial] = drawn[trial];
}
