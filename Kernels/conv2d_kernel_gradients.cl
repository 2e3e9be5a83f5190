// The gradients of a convolution's weights and, where bias is not below 0, of its biases over a batch:
//   gradients[r][weights + ((c * side + ky) * side + kx) * out_channels + o] = sum over all samples, y and x of
//     input[r][t][c][y + ky - padding][x + kx - padding][s] * output_gradient[r][t][o][y][x][s],
//   gradients[r][bias + o] = sum over all samples, y and x of output_gradient[r][t][o][y][x][s].
// Masked samples have a gradient of 0. Some rows are added up on their own first, so that few terms are in a chain of
// roundings.
//
// A team takes OB output channels x KB taps of one kernel row at a time, or the biases of OB channels; past the last channel
// or tap it takes that one again. Each member adds up every TEAM-th row of all tiles, each lane its samples; their sums are
// added last, in order. Groups: (share, 1, replica), of which each takes every so many-th block.

// target[k * stride] = the sum of sum[k] over the work-group, for k < count. Every work-item of the group comes here.
INLINE void fold(const floatv *sum, const int count, __local float *lanes, __local float *members,
                 __global float *target, const int stride) {
#if ITEMS == 1
    for (int k = 0; k < count; k++) target[k * stride] = lane_sum(sum[k]);
#else
    UNROLL for (int k = 0; k < KB; k++) {
        lanes[(get_local_id(1) * KB + k) * (LANES + 1) + get_local_id(0)] = lane_sum(sum[k]);
    }
    team_barrier();
    for (int place = item_number(); place < TEAM * KB; place += ITEMS) {
        float total = 0;
        for (int lane = 0; lane < LANES; lane++) total += lanes[place * (LANES + 1) + lane];
        members[place] = total;
    }
    team_barrier();
    for (int k = item_number(); k < count; k += ITEMS) {
        float total = 0;
        for (int member = 0; member < TEAM; member++) total += members[member * KB + k];
        target[k * stride] = total;
    }
#endif
}

TEAM_KERNEL void conv2d_kernel_gradients(__global const float *restrict input,
                                         __global const float *restrict output_gradient, const int in_channels,
                                         const int out_channels, const int height, const int width, const int side,
                                         const int padding, const int tiles, const int rows_at_once, const int stride,
                                         const int weights, const int bias, __global float *restrict gradients) {
#if ITEMS > 1
    __local float lanes[TEAM * KB * (LANES + 1)];
    __local float members[TEAM * KB];
#else
    __local float *lanes = 0;
    __local float *members = 0;
#endif
    const int replica = get_group_id(2);
    const int lane = get_local_id(0) * VW;
    const int out_height = height + 2 * padding - side + 1;
    const int out_width = width + 2 * padding - side + 1;
    input += (size_t)replica * tiles * in_channels * height * width * TILE + lane;
    output_gradient += (size_t)replica * tiles * out_channels * out_height * out_width * TILE + lane;
    gradients += (size_t)replica * stride;
    const int blocks = COUNT_CEIL(out_channels, OB);
    const int tap_blocks = COUNT_CEIL(side, KB);
    const int tap_units = in_channels * side * tap_blocks;
    for (int unit = get_group_id(0); unit < blocks * (tap_units + (bias >= 0)); unit += get_num_groups(0)) {
        const int tap_unit = unit / blocks;
        const int block = (unit - tap_unit * blocks) * OB;
        const bool is_bias = tap_unit == tap_units;
        const int kernel_row = tap_unit / tap_blocks;
        const int first_tap = (tap_unit - kernel_row * tap_blocks) * KB;
        const int c = kernel_row / side;
        const int ky = kernel_row - c * side;
        int channel[OB];
        floatv total[OB][KB], sum[OB][KB];
        UNROLL for (int o = 0; o < OB; o++) {
            channel[o] = min(block + o, out_channels - 1);
            UNROLL for (int k = 0; k < KB; k++) total[o][k] = sum[o][k] = 0;
        }
        int tap[KB];
        UNROLL for (int k = 0; k < KB; k++) tap[k] = min(first_tap + k, side - 1) - padding;
        // The columns all of whose taps are inside the input.
        const int left = -tap[0];
        const int right = width - tap[KB - 1];
        int rows = 0;
        for (int tile_row = get_local_id(1); tile_row < tiles * out_height; tile_row += TEAM) {
            const int tile = tile_row / out_height;
            const int row = tile_row - tile * out_height;
            const int source_row = row + ky - padding;
            __global const float *delta[OB];
            UNROLL for (int o = 0; o < OB; o++) {
                delta[o] = output_gradient +
                           (((size_t)tile * out_channels + channel[o]) * out_height + row) * out_width * TILE;
            }
            if (is_bias) {
                for (int x = 0; x < out_width; x++) {
                    UNROLL for (int o = 0; o < OB; o++) sum[o][0] += VECTOR(delta[o] + x * TILE);
                }
            } else if (source_row >= 0 && source_row < height) {
                __global const float *source =
                    input + (((size_t)tile * in_channels + c) * height + source_row) * width * TILE;
                for (int x = 0; x < out_width; x++) {
                    floatv slope[OB];
                    UNROLL for (int o = 0; o < OB; o++) slope[o] = VECTOR(delta[o] + x * TILE);
                    if (x >= left && x < right) {
                        UNROLL for (int k = 0; k < KB; k++) {
                            const floatv value = VECTOR(source + (x + tap[k]) * TILE);
                            UNROLL for (int o = 0; o < OB; o++) sum[o][k] += value * slope[o];
                        }
                    } else {
                        UNROLL for (int k = 0; k < KB; k++) {
                            const int from = x + tap[k];
                            if (from < 0 || from >= width) continue;
                            const floatv value = VECTOR(source + from * TILE);
                            UNROLL for (int o = 0; o < OB; o++) sum[o][k] += value * slope[o];
                        }
                    }
                }
            }
            if (++rows % rows_at_once == 0) {
                UNROLL for (int o = 0; o < OB; o++) {
                    UNROLL for (int k = 0; k < KB; k++) {
                        total[o][k] += sum[o][k];
                        sum[o][k] = 0;
                    }
                }
            }
        }
        UNROLL for (int o = 0; o < OB; o++) {
            UNROLL for (int k = 0; k < KB; k++) total[o][k] += sum[o][k];
            const int place = is_bias ? bias : weights + (kernel_row * side + first_tap) * out_channels;
            const int count = block + o >= out_channels ? 0 : is_bias ? 1 : min(KB, side - first_tap);
            fold(total[o], count, lanes, members, gradients + place + channel[o], out_channels);
        }
    }
}
