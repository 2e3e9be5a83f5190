// Batch norm with the running statistics [r][2][c], ReLU and 2x2 max-pool: output[r][t][c][y / 2][x / 2][s].
//
// Groups: (tile, channel * ROW_GROUPS + row group, replica).
#define POOLED_HEIGHT (HEIGHT / 2)
#define POOLED_WIDTH (WIDTH / 2)
#define ROW_GROUPS COUNT_CEIL(POOLED_HEIGHT, ROWS)

TILE_KERNEL void batch_norm_relu_pool_inference(__global const float *restrict input,
                                                __global const float *restrict running,
                                                __global const float *restrict parameters, const int gamma,
                                                const int beta, const int stride, const float epsilon,
                                                __global float *restrict output) {
    const int lane = get_local_id(0);
    const int channel = get_group_id(1) / ROW_GROUPS;
    const int row_group = get_group_id(1) - channel * ROW_GROUPS;
    const int replica = get_group_id(2);
    running += replica * 2 * CHANNELS + channel;
    parameters += (size_t)replica * stride + channel;
    const float scale = parameters[gamma] * (1 / sqrt(running[CHANNELS] + epsilon));
    const float shift = parameters[beta] - running[0] * scale;
    const size_t batch_plane = (size_t)(replica * get_num_groups(0) + get_group_id(0)) * CHANNELS + channel;
    input += batch_plane * HEIGHT * WIDTH * TILE + lane * VW;
    output += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    const int end = min((row_group + 1) * ROWS, POOLED_HEIGHT);
    for (int row = row_group * ROWS; row < end; row++) {
        for (int column = 0; column < POOLED_WIDTH; column++) {
            floatv best = 0;
            UNROLL for (int place = 0; place < 4; place++) {
                const int position = (2 * row + place / 2) * WIDTH + 2 * column + place % 2;
                const floatv value = VECTOR(input + position * TILE) * scale + shift;
                best = choose(!(value <= best), value, best);
            }
            VECTOR_OUT(output + (row * POOLED_WIDTH + column) * TILE) = best;
        }
    }
}
