// For each of TRIALS candidates t: next[t][i] = min(previous[kept][i], squared distance of point i to t), and its sum
// over each block of BLOCK points, block_sums[t][block]. Points [tile][D][P], coordinates [D][TRIALS]; kept is state[0].
//
// A candidate further away in its first dimensions than what a point has is not looked at in the others: the sum of
// squares only grows. One work-group a block: of LANES work-items, on a GPU of BLOCK / 2 with two points each. Lanes beyond the
// last point count as zero. A sum adds up every LANES-th point, in order, and then these sums.
// Defines: D, P, U, TRIALS, BLOCK.

#include "early_exit.clh"

#if VW == 1

// Adds the squares of `dimensions` dimensions, 4 or 1, from `dimension` on.
INLINE void add_squares(
    __global const float *x, __global const float *coordinates, const int dimension, const int dimensions,
    float square[TRIALS][2]) {
    // Those of four dimensions, from a multiple of four on, are whole vectors: the same wide loads for all work-items.
    float candidates[4 * TRIALS];
    __global const float *from = coordinates + dimension * TRIALS;
    if (dimensions == 4) {
        UNROLL for (int quad = 0; quad < TRIALS; quad++) vstore4(((__global const float4 *)from)[quad], quad, candidates);
    } else {
        UNROLL for (int trial = 0; trial < TRIALS; trial++) candidates[trial] = from[trial];
    }
    UNROLL for (int next = 0; next < dimensions; next++) {
        const float2 value = *(__global const float2 *)(x + (dimension + next) * P);
        UNROLL for (int trial = 0; trial < TRIALS; trial++) {
            const float2 difference = value - candidates[next * TRIALS + trial];
            square[trial][0] = fma(difference.x, difference.x, square[trial][0]);
            square[trial][1] = fma(difference.y, difference.y, square[trial][1]);
        }
    }
}

__kernel __attribute__((reqd_work_group_size(BLOCK / 2, 1, 1))) void kmeans_plus_plus_distances(
    __global const float *points, __global const float *coordinates, __global const int *state,
    __global const float *previous, __global float *next, __global float *block_sums, const int count,
    const int tiles) {
    __local float left[TRIALS * BLOCK] __attribute__((aligned(64)));
    __local float sums[TRIALS * LANES];
    const int item = get_local_id(0);
    const int stride = tiles * P;
    const int point = (int)get_group_id(0) * BLOCK + 2 * item;
    const bool exists = point < stride;
    float square[TRIALS][2];
    UNROLL for (int trial = 0; trial < TRIALS; trial++) square[trial][0] = square[trial][1] = 0.0f;
    float2 before = 0.0f;
    if (exists) {
        const int tile = point / P;
        __global const float *x = points + (size_t)tile * D * P + point - tile * P;
        before = *(__global const float2 *)(previous + (size_t)state[0] * stride + point);
        for (int start = 0; start < D; start += STRIDE) {
            const int end = min(start + STRIDE, D);
            int dimension = start;
            // Not unrolled: AMD's compiler keeps the coordinates of all in scalar registers, of which there are too few.
            _Pragma("unroll 1") for (; dimension + 4 <= end; dimension += 4) {
                add_squares(x, coordinates, dimension, 4, square);
            }
            if (D % 4 != 0 && end == D) {
                UNROLL for (int last = 0; last < D % 4; last++) add_squares(x, coordinates, dimension + last, 1, square);
            }
            bool nearer = false;
            UNROLL for (int trial = 0; trial < TRIALS; trial++) {
                nearer |= !(square[trial][0] >= before.x) || !(square[trial][1] >= before.y);
            }
            if (!nearer) break;
        }
    }
    UNROLL for (int trial = 0; trial < TRIALS; trial++) {
        float nearest[2];
        nearest[0] = before.x < square[trial][0] ? before.x : square[trial][0];
        nearest[1] = before.y < square[trial][1] ? before.y : square[trial][1];
        UNROLL for (int i = 0; i < 2; i++) {
            const float masked = point + i < count ? nearest[i] : 0.0f;
            if (exists) next[(size_t)trial * stride + point + i] = masked;
            left[trial * BLOCK + 2 * item + i] = masked;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int element = item; element < TRIALS * LANES; element += BLOCK / 2) {
        const int trial = element / LANES;
        float total = 0.0f;
        for (int other = element - trial * LANES; other < BLOCK; other += LANES) total += left[trial * BLOCK + other];
        sums[element] = total;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int trial = item; trial < TRIALS; trial += BLOCK / 2) {
        float sum = 0.0f;
        for (int other = 0; other < LANES; other++) sum += sums[trial * LANES + other];
        block_sums[trial * (int)get_num_groups(0) + (int)get_group_id(0)] = sum;
    }
}

#else

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

#endif
