// Picks the point of the largest key among those of `blocks` blocks, the lowest of several, as number `step` of a greedy
// order: picks[step]. Its state becomes -1: it was picked. Then the target of the next pick: the picked point itself or,
// with HERDING, the target plus the mean less the picked point. Target and mean are [2][D], a float and what it drops.
//
// One work-group of GROUP work-items in all.
// Defines: D, P, GROUP, HERDING.

#pragma OPENCL FP_CONTRACT OFF

#include "largest_key.clh"

// Knuth's two-sum: `value` is added to `sum`, and what that drops to `dropped`.
static inline void add_two(const float value, float *sum, float *dropped) {
    const float next = *sum + value;
    const float part = next - *sum;
    *dropped += (*sum - (next - part)) + (value - part);
    *sum = next;
}

GROUP_KERNEL void greedy_pick(
    __global const float *points, __global const float *block_keys, __global const int *block_points,
    __global const float *mean, __global float *target, __global float *state, __global int *picks, const int count,
    const int blocks, const int step) {
    __local float keys[GROUP];
    __local int numbers[GROUP];
    const int item = get_local_id(0);
    float key = -INFINITY;
    int point = INT_MAX;
    for (int block = item; block < blocks; block += GROUP) {
        keep_larger(block_keys[block], block_points[block], &key, &point);
    }
    group_largest(key, point, item, GROUP, keys, numbers);
    // A pick from nothing, which no caller asks for, must not write elsewhere.
    const int picked = min(numbers[0], count - 1);
    if (item == 0) {
        picks[step] = picked;
        state[picked] = -1.0f;
    }
    const int tile = picked / P;
    __global const float *x = points + (size_t)tile * D * P + (picked - tile * P);
    for (int dimension = item; dimension < D; dimension += GROUP) {
#if HERDING
        float sum = target[dimension];
        float dropped = 0.0f;
        add_two(mean[dimension], &sum, &dropped);
        add_two(-x[dimension * P], &sum, &dropped);
        float rest = target[D + dimension] + mean[D + dimension] + dropped;
        dropped = 0.0f;
        add_two(rest, &sum, &dropped);
        target[dimension] = sum;
        target[D + dimension] = dropped;
#else
        target[dimension] = x[dimension * P];
        target[D + dimension] = 0.0f;
#endif
    }
}
