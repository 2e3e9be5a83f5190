// Squared distances of all points to `target`, and of each block of `block_tiles` tiles the one that a greedy order wants, a
// larger key being wanted more: block_keys[block] and block_points[block]. Points [tile][D][P], state [tile][P]; a
// negative state means that a point was picked, or that a lane is beyond the last point, and stays.
//
// With FARTHEST the state is the distance to the nearest pick, which becomes min(state, distance) and is the key.
// Without, the key is -distance, a distance that is infinite or NaN counting as the largest number, and the state is only
// read. A NaN never becomes a state. A block that has nothing left gets the key -INFINITY and the point INT_MAX; of equal
// keys the lowest point wins.
//
// A tile whose points are all too far away in their first dimensions is not looked at in the others: the sum of squares
// only grows. One work-group of a team a block. Multiply-adds are never fused, so that a processor without them picks the
// same points.
// Defines: D, P, U, FARTHEST.

#pragma OPENCL FP_CONTRACT OFF

#include "early_exit.clh"
#include "largest_key.clh"

// A vector and its lanes one by one.
typedef union {
    floatv vector;
    float lanes[VW];
} float_lanes;
typedef union {
    intv vector;
    int lanes[VW];
} int_lanes;

TEAM_KERNEL void greedy_distances(
    __global const float *points, __global const float *target, __global float *state, __global float *block_keys,
    __global int *block_points, const int tiles, const int block_tiles) {
    __local float keys[ITEMS];
    __local int numbers[ITEMS];
    const int lane = get_local_id(0);
    const int first_tile = (int)get_group_id(0) * block_tiles;
    const int end_tile = min(first_tile + block_tiles, tiles);
    float_lanes best;
    int_lanes best_point;
    best.vector = -INFINITY;
    best_point.vector = INT_MAX;
    // Without FARTHEST: what is further away than this is not wanted.
    float limit = INFINITY;
    for (int tile = first_tile + (int)get_local_id(1); tile < end_tile; tile += TEAM) {
        __global const float *x = points + (size_t)tile * D * P;
        floatv before[U];
        floatv square[U];
        UNROLL for (int u = 0; u < U; u++) {
            before[u] = load_floatv(state, tile * (P / VW) + u * LANES + lane);
            square[u] = 0.0f;
        }
        intv wanted = 0;
        for (int start = 0; start < D; start += STRIDE) {
            for (int dimension = start; dimension < min(start + STRIDE, D); dimension++) {
                UNROLL for (int u = 0; u < U; u++) {
                    const floatv difference =
                        load_floatv(x, dimension * (P / VW) + u * LANES + lane) - target[dimension];
                    square[u] += difference * difference;
                }
            }
            wanted = 0;
            UNROLL for (int u = 0; u < U; u++) {
#if FARTHEST
                wanted |= square[u] < before[u];
#else
                wanted |= (before[u] >= 0.0f) & !(square[u] > limit);
#endif
            }
            if (!ANY(wanted)) break;
        }
#if !FARTHEST
        if (!ANY(wanted)) continue;
#endif
        intv better = 0;
        UNROLL for (int u = 0; u < U; u++) {
            const int vector = tile * (P / VW) + u * LANES + lane;
#if FARTHEST
            const floatv key = choose(square[u] < before[u], square[u], before[u]);
            if (ANY(wanted)) store_floatv(state, vector, key);
            const intv is_better = (key >= 0.0f) & (key > best.vector);
#else
            const floatv key = -choose(square[u] < FLT_MAX, square[u], (floatv)FLT_MAX);
            const intv is_better = (before[u] >= 0.0f) & (key > best.vector);
#endif
            best.vector = choose(is_better, key, best.vector);
            best_point.vector = choose_int(is_better, lane_numbers() + vector * VW, best_point.vector);
            better |= is_better;
        }
#if !FARTHEST
        if (ANY(better)) {
            for (int member = 0; member < VW; member++) limit = min(limit, -best.lanes[member]);
        }
#endif
    }
    float key = best.lanes[0];
    int point = best_point.lanes[0];
    for (int member = 1; member < VW; member++) {
        keep_larger(best.lanes[member], best_point.lanes[member], &key, &point);
    }
    const int item = item_number();
    group_largest(key, point, item, ITEMS, keys, numbers);
    if (item == 0) {
        block_keys[get_group_id(0)] = keys[0];
        block_points[get_group_id(0)] = numbers[0];
    }
}
