// Batch norm with the batch's statistics, ReLU and 2x2 max-pool: output[r][t][c][y / 2][x / 2][s], and the winner's
// place 2 * dy + dx, or 4 where nothing passes ReLU. Joins the tiles' partial statistics in order (Chan, Golub &
// LeVeque 1979); the group of tile 0 saves (mean, 1 / sqrt(variance + EPSILON)) for the backward pass and moves the
// running statistics [r][2][c] by `momentum`.
//
// Groups: (tile, channel * ROW_GROUPS + row group, replica).
#define POOLED_HEIGHT (HEIGHT / 2)
#define POOLED_WIDTH (WIDTH / 2)
#define ROW_GROUPS COUNT_CEIL(POOLED_HEIGHT, ROWS)

TILE_KERNEL void batch_norm_relu_pool_forward(
    __global const float *restrict input, __global const float *restrict partials,
    __global const float *restrict parameters, const int gamma, const int beta, const int stride,
    __global const int *restrict current, const float epsilon, const float momentum, __global float *restrict saved,
    __global float *restrict running, __global float *restrict output, __global uchar *restrict winners) {
    const int lane = get_local_id(0);
    const int tile = get_group_id(0);
    const int tiles = get_num_groups(0);
    const int channel = get_group_id(1) / ROW_GROUPS;
    const int row_group = get_group_id(1) - channel * ROW_GROUPS;
    const int replica = get_group_id(2);
    const int valid = current[1];

    float count = 0;
    float mean = 0;
    float squares = 0;
    for (int other = 0; other < tiles; other++) {
        // 0 in a tile without samples, whose partials are 0 as well; the first tile has one at least.
        const float added = valid_samples(other, valid) * (HEIGHT * WIDTH);
        const size_t partial = 2 * ((size_t)(replica * tiles + other) * CHANNELS + channel);
        const float gap = partials[partial] - mean;
        const float total = count + added;
        mean += gap * (added / total);
        squares += partials[partial + 1] + gap * gap * (count * added / total);
        count = total;
    }
    const float inverse = 1 / sqrt(squares / count + epsilon);
    if (tile == 0 && row_group == 0 && lane == 0) {
        saved[2 * (replica * CHANNELS + channel)] = mean;
        saved[2 * (replica * CHANNELS + channel) + 1] = inverse;
        __global float *running_mean = running + replica * 2 * CHANNELS + channel;
        running_mean[0] += momentum * (mean - running_mean[0]);
        running_mean[CHANNELS] += momentum * (squares / (count - 1) - running_mean[CHANNELS]);
    }

    parameters += (size_t)replica * stride + channel;
    const float scale = parameters[gamma] * inverse;
    const float shift = parameters[beta] - mean * scale;
    const size_t batch_plane = (size_t)(replica * tiles + tile) * CHANNELS + channel;
    input += batch_plane * HEIGHT * WIDTH * TILE + lane * VW;
    output += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    winners += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    const int end = min((row_group + 1) * ROWS, POOLED_HEIGHT);
    for (int row = row_group * ROWS; row < end; row++) {
        for (int column = 0; column < POOLED_WIDTH; column++) {
            floatv best = 0;
            intv winner = 4;
            UNROLL for (int place = 0; place < 4; place++) {
                const int position = (2 * row + place / 2) * WIDTH + 2 * column + place % 2;
                const floatv value = VECTOR(input + position * TILE) * scale + shift;
                // Not a maximum of floats: a NaN must reach the output, not lose against 0.
                const intv larger = !(value <= best);
                best = choose(larger, value, best);
                winner = choose_int(larger, place, winner);
            }
            const int position = (row * POOLED_WIDTH + column) * TILE;
            VECTOR_OUT(output + position) = best;
            *(__global ucharv *)(winners + position) = convert_ucharv(winner);
        }
    }
}
