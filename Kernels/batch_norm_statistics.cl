// Mean and sum of squared deviations of a tile's valid samples for each channel:
// partials[r][t][c] = (mean, squares) of input[r][t][c][position][s] over positions and valid s.
//
// Each lane sums deviations from its own first value, so that no large squares cancel; lanes are then joined as
// groups are (Chan, Golub & LeVeque 1979). Groups: (tile, channel, replica).
TILE_KERNEL void batch_norm_statistics(__global const float *restrict input, __global const int *restrict current,
                                       __global float *restrict partials) {
    __local float scratch[LANES];
    const int tile = get_group_id(0);
    const size_t plane = ((size_t)get_group_id(2) * get_num_groups(0) + tile) * CHANNELS + get_group_id(1);
    const int counted = valid_samples(tile, current[1]);
    __global const float *values = input + plane * POSITIONS * TILE + get_local_id(0) * VW;

    const floatv pivot = VECTOR(values);
    floatv sum = 0;
    floatv squares = 0;
    for (int position = 0; position < POSITIONS; position++) {
        const floatv deviation = VECTOR(values + position * TILE) - pivot;
        sum += deviation;
        squares += deviation * deviation;
    }
    const floatv lane_mean = pivot + sum / POSITIONS;
    const floatv lane_squares = squares - sum * sum / POSITIONS;
    const float total = tile_sum(mask_samples(lane_mean, counted), scratch);
    const float mean = counted > 0 ? total / counted : 0;
    const floatv spread = lane_mean - mean;
    const float joined = tile_sum(mask_samples(lane_squares + spread * spread * POSITIONS, counted), scratch);
    if (get_local_id(0) == 0) {
        partials[2 * plane] = mean;
        partials[2 * plane + 1] = joined;
    }
}
