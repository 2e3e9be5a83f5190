// Convolution of stride 1 without padding:
// output[r][t][o][y][x][s] = bias[o] + sum over c, ky, kx of input[r][t][c][y + ky][x + kx][s] * weights[c][ky][kx][o].
//
// A work-item holds OB output channels x CB columns of one row in registers; each input vector that it loads serves
// all of them. OB divides OUT_CHANNELS and CB divides OUT_WIDTH. A work-group walks ROWS rows.
// Groups: (tile, channel block * ROW_GROUPS + row group, replica).
#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)
#define ROW_GROUPS COUNT_CEIL(OUT_HEIGHT, ROWS)

TILE_KERNEL void conv2d_forward(__global const float *restrict input, __global const float *restrict parameters,
                                const int weights, const int bias, const int stride, __global float *restrict output) {
    const int batch_tile = get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int block = get_group_id(1) / ROW_GROUPS;
    const int first_row = (get_group_id(1) - block * ROW_GROUPS) * ROWS;
    const int offset = get_local_id(0) * VW;
    parameters += (size_t)get_group_id(2) * stride + block * OB;
    input += (size_t)batch_tile * IN_CHANNELS * HEIGHT * WIDTH * TILE + offset;
    output += ((size_t)batch_tile * OUT_CHANNELS + block * OB) * OUT_HEIGHT * OUT_WIDTH * TILE + offset;

    const int end = min(first_row + ROWS, OUT_HEIGHT);
    for (int row = first_row; row < end; row++) {
        for (int column = 0; column < OUT_WIDTH; column += CB) {
            floatv sum[OB][CB];
            UNROLL for (int o = 0; o < OB; o++) {
                UNROLL for (int x = 0; x < CB; x++) sum[o][x] = parameters[bias + o];
            }
            for (int c = 0; c < IN_CHANNELS; c++) {
                for (int ky = 0; ky < KERNEL; ky++) {
                    __global const float *source = input + ((c * HEIGHT + row + ky) * WIDTH + column) * TILE;
                    __global const float *taps = parameters + weights + (c * KERNEL + ky) * KERNEL * OUT_CHANNELS;
                    UNROLL for (int i = 0; i < CB + KERNEL - 1; i++) {
                        const floatv value = VECTOR(source + i * TILE);
                        UNROLL for (int kx = 0; kx < KERNEL; kx++) {
                            const int x = i - kx;
                            if (x >= 0 && x < CB) {
                                UNROLL for (int o = 0; o < OB; o++) sum[o][x] += value * taps[kx * OUT_CHANNELS + o];
                            }
                        }
                    }
                }
            }
            UNROLL for (int o = 0; o < OB; o++) {
                UNROLL for (int x = 0; x < CB; x++) {
                    VECTOR_OUT(output + ((o * OUT_HEIGHT + row) * OUT_WIDTH + column + x) * TILE) = sum[o][x];
                }
            }
        }
    }
}
