// What the backward pass of batch norm needs from every sample: partials[r][t][c] = (sum of the gradient that passed
// pool and ReLU, sum of that gradient times the normalised input), over positions and samples. The gradient of the
// output is 0 in masked samples, which keeps them out.
//
// Groups: (tile, channel, replica).
#define POOLED_HEIGHT (HEIGHT / 2)
#define POOLED_WIDTH (WIDTH / 2)

TILE_KERNEL void batch_norm_relu_pool_backward_sums(__global const float *restrict input,
                                                    __global const float *restrict saved,
                                                    __global const uchar *restrict winners,
                                                    __global const float *restrict output_gradient,
                                                    __global float *restrict partials) {
    __local float scratch[LANES];
    const int lane = get_local_id(0);
    const int channel = get_group_id(1);
    const int replica = get_group_id(2);
    const float mean = saved[2 * (replica * CHANNELS + channel)];
    const float inverse = saved[2 * (replica * CHANNELS + channel) + 1];
    const size_t batch_plane = (size_t)(replica * get_num_groups(0) + get_group_id(0)) * CHANNELS + channel;
    input += batch_plane * HEIGHT * WIDTH * TILE + lane * VW;
    output_gradient += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    winners += batch_plane * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    floatv sum = 0;
    floatv product = 0;
    for (int row = 0; row < POOLED_HEIGHT; row++) {
        for (int column = 0; column < POOLED_WIDTH; column++) {
            const int position = (row * POOLED_WIDTH + column) * TILE;
            const intv winner = convert_intv(*(__global const ucharv *)(winners + position));
            const floatv passed = choose(winner < 4, VECTOR(output_gradient + position), (floatv)0);
            floatv value = mean;
            UNROLL for (int place = 0; place < 4; place++) {
                const int from = (2 * row + place / 2) * WIDTH + 2 * column + place % 2;
                value = choose(winner == place, VECTOR(input + from * TILE), value);
            }
            sum += passed;
            product += passed * ((value - mean) * inverse);
        }
    }
    const float total = tile_sum(sum, scratch);
    const float total_product = tile_sum(product, scratch);
    if (lane == 0) {
        partials[2 * batch_plane] = total;
        partials[2 * batch_plane + 1] = total_product;
    }
}
