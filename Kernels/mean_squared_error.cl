// The mean squared error of a batch of reconstructions output[r][t][value][s] against target of the same shape, of `values`
// values per sample: delta of that shape = 2 (output - target) / (valid * values), the gradient of the mean over the batch's
// valid samples and all values, and transposed[r][t][s][value] the same with rows of PADDED(values); 0 in masked samples and
// in the padding. loss_and_correct[r][t] = (sum over a tile's valid samples of each one's mean squared error, 0).
//
// A work-group takes one tile, a member every TEAM-th value. Groups: (tile, 1, replica).
#include "group_sum.clh"

TEAM_KERNEL void mean_squared_error(__global const float *restrict output, __global const float *restrict target,
                                    __global const int *restrict current, const int values,
                                    __global float *restrict delta, __global float *restrict transposed,
                                    __global float *restrict loss_and_correct) {
    __local float room[ITEMS];
    const int lane = get_local_id(0) * VW;
    const int valid = current[4 * get_group_id(2) + 1];
    const int counted = valid_samples(get_group_id(0), valid);
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int columns = PADDED(values);
    const float factor = 2 / ((float)valid * values);
    output += tile * values * TILE + lane;
    target += tile * values * TILE + lane;
    delta += tile * values * TILE + lane;
    transposed += (tile * TILE + lane) * columns;
    floatv squares = 0;
    for (int value = get_local_id(1); value < columns; value += TEAM) {
        floatv kept = 0;
        if (value < values) {
            const floatv gap = VECTOR(output + (size_t)value * TILE) - VECTOR(target + (size_t)value * TILE);
            squares += gap * gap;
            kept = mask_samples(gap * factor, counted);
            VECTOR_OUT(delta + (size_t)value * TILE) = kept;
        }
        store_column(transposed + value, columns, kept);
    }
    const float sum = group_sum(mask_samples(squares, counted), room);
    if (item_number() == 0) {
        loss_and_correct[2 * tile] = sum / values;
        loss_and_correct[2 * tile + 1] = 0;
    }
}
