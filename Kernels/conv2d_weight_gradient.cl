// Gradient of a convolution's weights, one slice of it:
// gradients[r][slice][offset + ((c * KERNEL + ky) * KERNEL + kx) * OUT_CHANNELS + o] = sum over the slice's tiles, y, x
// and samples of input[r][t][c][y + ky][x + kx][s] * output_gradient[r][t][o][y][x][s].
//
// A work-item holds OB output channels x KERNEL taps of one kernel row; OB divides OUT_CHANNELS. Its sums over VW
// samples are folded at the end. Groups: (channel * KERNEL + ky, channel block, replica * SLICES + slice).
#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)
#define CHUNK COUNT_CEIL(TILES, SLICES)

TILE_KERNEL void conv2d_weight_gradient(__global const float *restrict input,
                                        __global const float *restrict output_gradient, const int offset,
                                        const int parameter_count, __global float *restrict gradients) {
    const int lane = get_local_id(0);
    const int channel = get_group_id(0) / KERNEL;
    const int ky = get_group_id(0) - channel * KERNEL;
    const int block = get_group_id(1);
    const int replica = get_group_id(2) / SLICES;
    const int slice = get_group_id(2) - replica * SLICES;

    floatv sum[OB][KERNEL];
    UNROLL for (int o = 0; o < OB; o++) {
        UNROLL for (int kx = 0; kx < KERNEL; kx++) sum[o][kx] = 0;
    }
    const int end = min((slice + 1) * CHUNK, TILES);
    for (int tile = slice * CHUNK; tile < end; tile++) {
        const size_t batch_tile = replica * TILES + tile;
        for (int row = 0; row < OUT_HEIGHT; row++) {
            __global const float *source =
                input + ((batch_tile * IN_CHANNELS + channel) * HEIGHT + row + ky) * WIDTH * TILE + lane * VW;
            __global const float *delta =
                output_gradient + ((batch_tile * OUT_CHANNELS + block * OB) * OUT_HEIGHT + row) * OUT_WIDTH * TILE +
                lane * VW;
            for (int column = 0; column < OUT_WIDTH; column++) {
                floatv values[KERNEL];
                UNROLL for (int kx = 0; kx < KERNEL; kx++) values[kx] = VECTOR(source + (column + kx) * TILE);
                UNROLL for (int o = 0; o < OB; o++) {
                    const floatv gradient = VECTOR(delta + (o * OUT_HEIGHT * OUT_WIDTH + column) * TILE);
                    UNROLL for (int kx = 0; kx < KERNEL; kx++) sum[o][kx] += values[kx] * gradient;
                }
            }
        }
    }

    gradients += (size_t)get_group_id(2) * parameter_count + offset + get_group_id(0) * KERNEL * OUT_CHANNELS + block * OB;
#if LANES == 1
    UNROLL for (int o = 0; o < OB; o++) {
        UNROLL for (int kx = 0; kx < KERNEL; kx++) gradients[kx * OUT_CHANNELS + o] = lane_sum(sum[o][kx]);
    }
#else
    __local float scratch[OB * KERNEL][LANES];
    UNROLL for (int o = 0; o < OB; o++) {
        UNROLL for (int kx = 0; kx < KERNEL; kx++) scratch[kx * OB + o][lane] = lane_sum(sum[o][kx]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int item = lane; item < OB * KERNEL; item += LANES) {
        float total = 0;
        for (int other = 0; other < LANES; other++) total += scratch[item][other];
        const int kx = item / OB;
        gradients[kx * OUT_CHANNELS + item - kx * OB] = total;
    }
#endif
}
