// Gradient of a convolution's input:
// input_gradient[r][t][c][y][x][s] = sum over o, ky, kx of output_gradient[r][t][o][y - ky][x - kx][s] *
// weights[c][ky][kx][o], where y - ky and x - kx are inside the output.
//
// A work-item holds IB input channels x CB columns of one row in registers and adds what each output element it loads
// gives to them. IB divides IN_CHANNELS and CB divides WIDTH; with CB = WIDTH every bound is known when compiling.
// A work-group walks ROWS rows. Groups: (tile, channel block * ROW_GROUPS + row group, replica).
#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)
#define ROW_GROUPS COUNT_CEIL(HEIGHT, ROWS)

TILE_KERNEL void conv2d_input_gradient(__global const float *restrict output_gradient,
                                       __global const float *restrict parameters, const int weights, const int stride,
                                       __global float *restrict input_gradient) {
    const int batch_tile = get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int block = get_group_id(1) / ROW_GROUPS;
    const int first_row = (get_group_id(1) - block * ROW_GROUPS) * ROWS;
    const int offset = get_local_id(0) * VW;
    parameters += (size_t)get_group_id(2) * stride + weights + block * IB * KERNEL * KERNEL * OUT_CHANNELS;
    output_gradient += (size_t)batch_tile * OUT_CHANNELS * OUT_HEIGHT * OUT_WIDTH * TILE + offset;
    input_gradient += ((size_t)batch_tile * IN_CHANNELS + block * IB) * HEIGHT * WIDTH * TILE + offset;

    const int end = min(first_row + ROWS, HEIGHT);
    for (int row = first_row; row < end; row++) {
        for (int column = 0; column < WIDTH; column += CB) {
            floatv sum[IB][CB];
            UNROLL for (int c = 0; c < IB; c++) {
                UNROLL for (int x = 0; x < CB; x++) sum[c][x] = 0;
            }
            const int last_tap = min(KERNEL - 1, row);
            for (int o = 0; o < OUT_CHANNELS; o++) {
                for (int ky = max(0, row - OUT_HEIGHT + 1); ky <= last_tap; ky++) {
                    __global const float *source = output_gradient + (o * OUT_HEIGHT + row - ky) * OUT_WIDTH * TILE;
                    __global const float *taps = parameters + ky * KERNEL * OUT_CHANNELS + o;
#if CB == WIDTH
                    UNROLL for (int from = 0; from < OUT_WIDTH; from++) {
                        const int x0 = from;
#else
                    UNROLL for (int i = 0; i < CB + KERNEL - 1; i++) {
                        const int x0 = i - KERNEL + 1;
                        const int from = column + x0;
                        if (from < 0 || from >= OUT_WIDTH) continue;
#endif
                        const floatv value = VECTOR(source + from * TILE);
                        UNROLL for (int kx = 0; kx < KERNEL; kx++) {
                            const int x = x0 + kx;
                            if (x >= 0 && x < CB) {
                                UNROLL for (int c = 0; c < IB; c++) {
                                    sum[c][x] += value * taps[(c * KERNEL * KERNEL + kx) * OUT_CHANNELS];
                                }
                            }
                        }
                    }
                }
            }
            UNROLL for (int c = 0; c < IB; c++) {
                UNROLL for (int x = 0; x < CB; x++) {
                    VECTOR_OUT(input_gradient + ((c * HEIGHT + row) * WIDTH + column + x) * TILE) = sum[c][x];
                }
            }
        }
    }
}
