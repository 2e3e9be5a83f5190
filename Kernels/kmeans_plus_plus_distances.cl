// For each of TRIALS candidates t: next[t][i] = min(previous[kept][i], squared distance of point i to t), and its sum
// over each block of BLOCK points, block_sums[t][block]. Points [tile][D][P], coordinates [D][TRIALS]; kept is state[0].
//
// A candidate further away in its first dimensions than what a point has is not looked at in the others: the sum of
// squares only grows. One work-group of LANES work-items a block. Lanes beyond the last point count as zero.
// Defines: D, P, U, TRIALS, BLOCK.

#include "early_exit.clh"

TILE_KERNEL void kmeans_plus_plus_distances(
    __global const float *points, __global const float *coordinates, __global const int *state,
    __global const float *previous, __global float *next, __global float *block_sums, const int count,
    const int tiles) {
    __local float sums[TRIALS * LANES];
    const int lane = get_local_id(0);
    const int stride = tiles * P;
    __global const float *kept = previous + (size_t)state[0] * stride;
    const int first_tile = (int)get_group_id(0) * (BLOCK / P);
    const int end_tile = min(first_tile + BLOCK / P, tiles);
    floatv total[TRIALS];
    UNROLL for (int trial = 0; trial < TRIALS; trial++) total[trial] = 0.0f;
    for (int tile = first_tile; tile < end_tile; tile++) {
        __global const float *x = points + (size_t)tile * D * P;
        floatv square[U][TRIALS];
        UNROLL for (int u = 0; u < U; u++) {
            UNROLL for (int trial = 0; trial < TRIALS; trial++) square[u][trial] = 0.0f;
        }
        for (int start = 0; start < D; start += STRIDE) {
            for (int dimension = start; dimension < min(start + STRIDE, D); dimension++) {
                UNROLL for (int u = 0; u < U; u++) {
                    const floatv value = load_floatv(x, dimension * (P / VW) + u * LANES + lane);
                    UNROLL for (int trial = 0; trial < TRIALS; trial++) {
                        const floatv difference = value - coordinates[dimension * TRIALS + trial];
                        square[u][trial] = fma(difference, difference, square[u][trial]);
                    }
                }
            }
            intv nearer = 0;
            UNROLL for (int u = 0; u < U; u++) {
                const floatv before = load_floatv(kept, tile * (P / VW) + u * LANES + lane);
                UNROLL for (int trial = 0; trial < TRIALS; trial++) nearer |= !(square[u][trial] >= before);
            }
            if (!ANY(nearer)) break;
        }
        UNROLL for (int u = 0; u < U; u++) {
            const int vector = tile * (P / VW) + u * LANES + lane;
            const floatv before = load_floatv(kept, vector);
            const intv valid = lane_numbers() + vector * VW < (intv)count;
            UNROLL for (int trial = 0; trial < TRIALS; trial++) {
                const floatv nearest = choose(before < square[u][trial], before, square[u][trial]);
                const floatv masked = choose(valid, nearest, (floatv)0.0f);
                store_floatv(next + (size_t)trial * stride, vector, masked);
                total[trial] += masked;
            }
        }
    }
    UNROLL for (int trial = 0; trial < TRIALS; trial++) sums[trial * LANES + lane] = lane_sum(total[trial]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int trial = lane; trial < TRIALS; trial += LANES) {
        float sum = 0.0f;
        for (int other = 0; other < LANES; other++) sum += sums[trial * LANES + other];
        block_sums[trial * (int)get_num_groups(0) + (int)get_group_id(0)] = sum;
    }
}
