// Batch norm's backward pass: gradient[r][t][channel][position][s], that of its output, becomes that of its input,
//   gamma / std * (g - mean of g - normalised input * mean of g * normalised input),
// 0 in masked samples; means are over the batch's valid samples and all positions. gradients get those of gamma and beta.
// With TRANSPOSED, transposed[r][t][s][channel * positions + position] has the same as gradient with rows of
// PADDED(channels * positions) and 0 in the padding, for the gradients of the weights before.
//
// A work-group takes one channel of all tiles. Groups: (channel, 1, replica).
#include "group_sum.clh"
#include "planes.clh"

TEAM_KERNEL void batch_norm_backward(__global const float *restrict input, const int channels, const int positions,
                                     const int tiles, __global const float *restrict parameters, const int stride,
                                     const int gamma, const int beta, __global const float *restrict saved,
                                     __global const int *restrict current, __global float *gradient,
                                     __global float *restrict gradients, __global float *transposed) {
    __local float room[ITEMS];
    const int channel = get_group_id(0);
    const int replica = get_group_id(2);
    const int lane = get_local_id(0) * VW;
    const int valid = current[4 * replica + 1];
    const float count = (float)valid * positions;
    const float mean = saved[2 * (replica * channels + channel)];
    const float inverse = saved[2 * (replica * channels + channel) + 1];
    floatv sum = 0;
    floatv product = 0;
    for (int tile = 0; tile < tiles; tile++) {
        const size_t start = plane(tile, tiles, channels, positions);
        floatv own_sum = 0;
        floatv own_product = 0;
        for (int position = FIRST(tile); position < positions; position += TEAM) {
            const size_t place = start + (size_t)position * TILE;
            const floatv passed = VECTOR(gradient + place);
            own_sum += passed;
            own_product += passed * ((VECTOR(input + place) - mean) * inverse);
        }
        sum += mask_samples(own_sum, valid_samples(tile, valid));
        product += mask_samples(own_product, valid_samples(tile, valid));
    }
    const float beta_gradient = group_sum(sum, room);
    const float gamma_gradient = group_sum(product, room);
    if (item_number() == 0) {
        gradients[(size_t)replica * stride + gamma + channel] = gamma_gradient;
        gradients[(size_t)replica * stride + beta + channel] = beta_gradient;
    }
    const float offset = beta_gradient / count;
    const float slope = gamma_gradient / count;
    const float factor = parameters[(size_t)replica * stride + gamma + channel] * inverse;
    const int columns = PADDED(channels * positions);
    for (int tile = 0; tile < tiles; tile++) {
        const size_t start = plane(tile, tiles, channels, positions);
        __global float *rows = transposed + (((size_t)replica * tiles + tile) * TILE + lane) * columns;
        for (int position = FIRST(tile); position < positions; position += TEAM) {
            const size_t place = start + (size_t)position * TILE;
            const floatv normalised = (VECTOR(input + place) - mean) * inverse;
            const floatv whole = (VECTOR(gradient + place) - offset - normalised * slope) * factor;
            const floatv kept = mask_samples(whole, valid_samples(tile, valid));
            VECTOR_OUT(gradient + place) = kept;
            if (TRANSPOSED) store_column(rows + channel * positions + position, columns, kept);
        }
        if (TRANSPOSED && channel == channels - 1) {
            for (int column = channels * positions + FIRST(tile); column < columns; column += TEAM) {
                store_column(rows + column, columns, 0);
            }
        }
    }
}
