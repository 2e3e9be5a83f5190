// Gradient of a convolution's biases, one slice of it: gradients[r][slice][offset + o] = sum over the slice's tiles,
// positions and samples of output_gradient[r][t][o][position][s].
//
// Groups: (channel, 1, replica * SLICES + slice).
#define CHUNK COUNT_CEIL(TILES, SLICES)

TILE_KERNEL void conv2d_bias_gradient(__global const float *restrict output_gradient, const int offset,
                                      const int parameter_count, __global float *restrict gradients) {
    __local float scratch[LANES];
    const int channel = get_group_id(0);
    const int replica = get_group_id(2) / SLICES;
    const int slice = get_group_id(2) - replica * SLICES;
    floatv sum = 0;
    const int end = min((slice + 1) * CHUNK, TILES);
    for (int tile = slice * CHUNK; tile < end; tile++) {
        __global const float *plane =
            output_gradient + ((size_t)(replica * TILES + tile) * OUT_CHANNELS + channel) * POSITIONS * TILE +
            get_local_id(0) * VW;
        for (int position = 0; position < POSITIONS; position++) sum += VECTOR(plane + position * TILE);
    }
    const float total = tile_sum(sum, scratch);
    if (get_local_id(0) == 0) gradients[(size_t)get_group_id(2) * parameter_count + offset + channel] = total;
}
