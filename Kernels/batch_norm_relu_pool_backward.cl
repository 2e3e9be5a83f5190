// Gradient of batch norm's input through ReLU and 2x2 max-pool (Ioffe & Szegedy 2015, section 3):
// gamma / std * (g - mean of g - normalised input * mean of g * normalised input), where g is the output's gradient at
// the pool's winner and 0 elsewhere; 0 in masked samples. The group of tile 0 stores the gradients of gamma and beta.
//
// Groups: (tile, channel * ROW_GROUPS + row group, replica).
#define POOLED_HEIGHT (HEIGHT / 2)
#define POOLED_WIDTH (WIDTH / 2)
#define ROW_GROUPS COUNT_CEIL(HEIGHT, ROWS)

TILE_KERNEL void batch_norm_relu_pool_backward(
    __global const float *restrict input, __global const float *restrict saved, __global const float *restrict partials,
    __global const uchar *restrict winners, __global const float *restrict output_gradient,
    __global const float *restrict parameters, const int gamma, const int beta, const int stride,
    __global const int *restrict current, const int gradient_stride, __global float *restrict input_gradient,
    __global float *restrict gradients) {
    const int lane = get_local_id(0);
    const int tile = get_group_id(0);
    const int tiles = get_num_groups(0);
    const int channel = get_group_id(1) / ROW_GROUPS;
    const int row_group = get_group_id(1) - channel * ROW_GROUPS;
    const int replica = get_group_id(2);
    const int valid = current[1];

    float sum = 0;
    float product = 0;
    for (int other = 0; other < tiles; other++) {
        const size_t partial = 2 * ((size_t)(replica * tiles + other) * CHANNELS + channel);
        sum += partials[partial];
        product += partials[partial + 1];
    }
    if (tile == 0 && row_group == 0 && lane == 0) {
        gradients[(size_t)replica * gradient_stride + gamma + channel] = product;
        gradients[(size_t)replica * gradient_stride + beta + channel] = sum;
    }

    const float mean = saved[2 * (replica * CHANNELS + channel)];
    const float inverse = saved[2 * (replica * CHANNELS + channel) + 1];
    const float factor = parameters[(size_t)replica * stride + gamma + channel] * inverse;
    const float count = (float)valid * (HEIGHT * WIDTH);
    const float mean_gradient = sum / count;
    const float mean_product = product / count;
    const int counted = valid_samples(tile, valid);
    const size_t batch_plane = (size_t)(replica * tiles + tile) * CHANNELS + channel;
    input += batch_plane * HEIGHT * WIDTH * TILE + lane * VW;
    input_gradient += batch_plane * HEIGHT * WIDTH * TILE + lane * VW;
    output_gradient += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    winners += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    const int end = min((row_group + 1) * ROWS, HEIGHT);
    for (int row = row_group * ROWS; row < end; row++) {
        const int pooled_row = row / 2;
        const int place = 2 * (row - 2 * pooled_row);
        for (int column = 0; column < WIDTH; column += 2) {
            floatv gradient = 0;
            intv winner = 4;
            // An odd last row or column has no pool above it.
            if (pooled_row < POOLED_HEIGHT && column / 2 < POOLED_WIDTH) {
                const int position = (pooled_row * POOLED_WIDTH + column / 2) * TILE;
                gradient = VECTOR(output_gradient + position);
                winner = convert_intv(*(__global const ucharv *)(winners + position));
            }
            UNROLL for (int side = 0; side < 2; side++) {
                if (column + side < WIDTH) {
                    const int position = (row * WIDTH + column + side) * TILE;
                    const floatv passed = choose(winner == place + side, gradient, (floatv)0);
                    const floatv normalised = (VECTOR(input + position) - mean) * inverse;
                    VECTOR_OUT(input_gradient + position) =
                        mask_samples((passed - mean_gradient - normalised * mean_product) * factor, counted);
                }
            }
        }
    }
}
