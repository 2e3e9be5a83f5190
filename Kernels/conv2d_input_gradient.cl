// The gradient of a convolution's input:
//   input_gradient[r][t][c][y][x][s] = sum over o, ky, kx of
//     output_gradient[r][t][o][y + padding - ky][x + padding - kx][s] * weights[c][ky][kx][o],
// in that order; taps that reach no output are left out. Weights lie as conv2d_forward has them.
//
// A member holds OB channels of the input x CB columns of a row in registers, and takes every such block that falls to it of
// all members of the work-groups that share a tile. Past the last channel it takes that one again. Groups: (tile, share,
// replica).
TEAM_KERNEL void conv2d_input_gradient(__global const float *restrict output_gradient,
                                       __global const float *restrict parameters, const int stride, const int weights,
                                       const int in_channels, const int out_channels, const int height, const int width,
                                       const int side, const int padding, __global float *restrict input_gradient) {
    const int lane = get_local_id(0) * VW;
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int out_height = height + 2 * padding - side + 1;
    const int out_width = width + 2 * padding - side + 1;
    parameters += (size_t)get_group_id(2) * stride + weights;
    output_gradient += tile * out_channels * out_height * out_width * TILE + lane;
    input_gradient += tile * in_channels * height * width * TILE + lane;
    const int column_blocks = COUNT_CEIL(width, CB);
    const int units = COUNT_CEIL(in_channels, OB) * height * column_blocks;
    for (int unit = get_global_id(1); unit < units; unit += get_global_size(1)) {
        const int block_row = unit / column_blocks;
        const int column = (unit - block_row * column_blocks) * CB;
        const int block = block_row / height;
        const int row = block_row - block * height;
        __global const float *taps[OB];
        floatv sum[OB][CB];
        UNROLL for (int c = 0; c < OB; c++) {
            taps[c] = parameters + min(block * OB + c, in_channels - 1) * side * side * out_channels;
            UNROLL for (int x = 0; x < CB; x++) sum[c][x] = 0;
        }
        // The output's column that the first tap of the first column reaches; further taps reach those before it.
        const int first = column + padding;
        const bool is_inside = first - side + 1 >= 0 && first + CB <= out_width;
        const int first_row = max(0, row + padding - out_height + 1);
        const int last_row = min(side - 1, row + padding);
        for (int o = 0; o < out_channels; o++) {
            for (int ky = first_row; ky <= last_row; ky++) {
                __global const float *source = output_gradient + (o * out_height + row + padding - ky) * out_width * TILE;
                const int tap_row = ky * side * out_channels + o;
                if (is_inside) {
                    for (int kx = 0; kx < side; kx++) {
                        float tap[OB];
                        UNROLL for (int c = 0; c < OB; c++) tap[c] = taps[c][tap_row + kx * out_channels];
                        UNROLL for (int x = 0; x < CB; x++) {
                            const floatv value = VECTOR(source + (first - kx + x) * TILE);
                            UNROLL for (int c = 0; c < OB; c++) sum[c][x] += value * tap[c];
                        }
                    }
                } else {
                    for (int kx = 0; kx < side; kx++) {
                        UNROLL for (int x = 0; x < CB; x++) {
                            const int from = first - kx + x;
                            if (from < 0 || from >= out_width) continue;
                            const floatv value = VECTOR(source + from * TILE);
                            UNROLL for (int c = 0; c < OB; c++) sum[c][x] += value * taps[c][tap_row + kx * out_channels];
                        }
                    }
                }
            }
        }
        UNROLL for (int c = 0; c < OB; c++) {
            UNROLL for (int x = 0; x < CB; x++) {
                if (block * OB + c < in_channels && column + x < width) {
                    const int place = ((block * OB + c) * height + row) * width + column + x;
                    VECTOR_OUT(input_gradient + place * TILE) = sum[c][x];
                }
            }
        }
    }
}
