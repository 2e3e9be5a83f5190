// A convolution of stride 1 with `padding` rows and columns of zeros around the input:
//   output[r][t][o][y][x][s] = bias[o] + sum over c, ky, kx of
//     input[r][t][c][y + ky - padding][x + kx - padding][s] * weights[c][ky][kx][o],
// in that order; taps in the padding are left out. Nothing is masked. A replica's weights begin at parameters[r * stride +
// weights], its biases at parameters[r * stride + bias].
//
// A member holds OB channels x CB columns of a row in registers, and takes every such block that falls to it of all members
// of the work-groups that share a tile. Past the last channel it takes that one again. Groups: (tile, share, replica).
TEAM_KERNEL void conv2d_forward(__global const float *restrict input, __global const float *restrict parameters,
                                const int stride, const int weights, const int bias, const int in_channels,
                                const int out_channels, const int height, const int width, const int side,
                                const int padding, __global float *restrict output) {
    const int lane = get_local_id(0) * VW;
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int out_height = height + 2 * padding - side + 1;
    const int out_width = width + 2 * padding - side + 1;
    parameters += (size_t)get_group_id(2) * stride;
    input += tile * in_channels * height * width * TILE + lane;
    output += tile * out_channels * out_height * out_width * TILE + lane;
    const int column_blocks = COUNT_CEIL(out_width, CB);
    const int units = COUNT_CEIL(out_channels, OB) * out_height * column_blocks;
    for (int unit = get_global_id(1); unit < units; unit += get_global_size(1)) {
        const int block_row = unit / column_blocks;
        const int column = (unit - block_row * column_blocks) * CB;
        const int block = block_row / out_height;
        const int row = block_row - block * out_height;
        int channel[OB];
        floatv sum[OB][CB];
        UNROLL for (int o = 0; o < OB; o++) {
            channel[o] = min(block * OB + o, out_channels - 1);
            UNROLL for (int x = 0; x < CB; x++) sum[o][x] = parameters[bias + channel[o]];
        }
        // The input's column at the first tap of the first column.
        const int first = column - padding;
        const bool is_inside = first >= 0 && first + side + CB - 1 <= width;
        const int last_row = min(side, height + padding - row);
        for (int c = 0; c < in_channels; c++) {
            for (int ky = max(0, padding - row); ky < last_row; ky++) {
                __global const float *source = input + (c * height + row + ky - padding) * width * TILE;
                __global const float *taps = parameters + weights + (c * side + ky) * side * out_channels;
                if (is_inside) {
                    for (int kx = 0; kx < side; kx++) {
                        float tap[OB];
                        UNROLL for (int o = 0; o < OB; o++) tap[o] = taps[kx * out_channels + channel[o]];
                        UNROLL for (int x = 0; x < CB; x++) {
                            const floatv value = VECTOR(source + (first + kx + x) * TILE);
                            UNROLL for (int o = 0; o < OB; o++) sum[o][x] += value * tap[o];
                        }
                    }
                } else {
                    for (int kx = 0; kx < side; kx++) {
                        UNROLL for (int x = 0; x < CB; x++) {
                            const int from = first + kx + x;
                            if (from < 0 || from >= width) continue;
                            const floatv value = VECTOR(source + from * TILE);
                            UNROLL for (int o = 0; o < OB; o++) sum[o][x] += value * taps[kx * out_channels + channel[o]];
                        }
                    }
                }
            }
        }
        UNROLL for (int o = 0; o < OB; o++) {
            UNROLL for (int x = 0; x < CB; x++) {
                if (block * OB + o < out_channels && column + x < out_width) {
                    VECTOR_OUT(output + ((channel[o] * out_height + row) * out_width + column + x) * TILE) = sum[o][x];
                }
            }
        }
    }
}
