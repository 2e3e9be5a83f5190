// Batch norm of a layer's values [r][t][channel][position][s] (Ioffe & Szegedy 2015): output = (input - mean) / sqrt(variance
// + epsilon) * gamma + beta. With TRAINING the statistics are those of the batch's valid samples over all positions; saved[r]
// [channel] = (mean, 1 / sqrt(variance + epsilon)) keeps them for the backward pass, and running[r][2][channel], the running
// mean and the running unbiased variance, move towards them. Without TRAINING the running ones are taken. A batch of a single
// value has no unbiased variance: it moves the mean alone; one of none moves neither.
//
// Sums are taken twice, the second time of deviations from the mean, so that nothing cancels. If all values are equal,
// the first pass finds the mean exactly, every deviation is 0, and so is the variance.
//
// A work-group takes one channel of all tiles. Groups: (channel, 1, replica).
#include "batch_norm.clh"
#include "group_sum.clh"
#include "planes.clh"

#if TRAINING
typedef struct {
    floatv sum, squares;
} deviations_t;

// Sums over a work-item's valid values of deviations from `pivot`, and of their squares.
static inline deviations_t deviations(__global const float *input, const int channels, const int positions,
                                      const int tiles, const int valid, const float pivot) {
    deviations_t all = {0, 0};
    for (int tile = 0; tile < tiles; tile++) {
        __global const float *values = input + plane(tile, tiles, channels, positions);
        deviations_t own = {0, 0};
        for (int position = FIRST(tile); position < positions; position += TEAM) {
            const floatv deviation = VECTOR(values + (size_t)position * TILE) - pivot;
            own.sum += deviation;
            own.squares += deviation * deviation;
        }
        all.sum += mask_samples(own.sum, valid_samples(tile, valid));
        all.squares += mask_samples(own.squares, valid_samples(tile, valid));
    }
    return all;
}
#endif

TEAM_KERNEL void batch_norm_forward(__global const float *restrict input, const int channels, const int positions,
                                    const int tiles, __global const float *restrict parameters, const int stride,
                                    const int gamma, const int beta, __global float *restrict running,
                                    __global const int *restrict current, __global float *restrict saved,
                                    __global float *restrict output) {
    const int channel = get_group_id(0);
    const int replica = get_group_id(2);
    parameters += (size_t)replica * stride;
    running += 2 * replica * channels;
#if TRAINING
    __local float room[ITEMS];
    const int valid = current[4 * replica + 1];
    const float count = (float)valid * positions;
    // The first sample's first value.
    const float pivot = input[plane(0, tiles, channels, positions) - get_local_id(0) * VW];
    const float rough = pivot + group_sum(deviations(input, channels, positions, tiles, valid, pivot).sum, room) / count;
    const deviations_t rest = deviations(input, channels, positions, tiles, valid, rough);
    const float gap = group_sum(rest.sum, room);
    const float squares = group_sum(rest.squares, room) - gap * gap / count;
    const float mean = rough + gap / count;
    const float variance = squares / count;
#else
    const float mean = running[channel];
    const float variance = running[channels + channel];
#endif
    const float inverse = 1 / sqrt(variance + BATCH_NORM_EPSILON);
    const float scale = parameters[gamma + channel] * inverse;
    const float shift = parameters[beta + channel];
#if TRAINING
    if (item_number() == 0) {
        saved[2 * (replica * channels + channel)] = mean;
        saved[2 * (replica * channels + channel) + 1] = inverse;
        if (count > 0) running[channel] += BATCH_NORM_MOMENTUM * (mean - running[channel]);
        if (count > 1) {
            running[channels + channel] += BATCH_NORM_MOMENTUM * (squares / (count - 1) - running[channels + channel]);
        }
    }
#endif
    for (int tile = 0; tile < tiles; tile++) {
        const size_t start = plane(tile, tiles, channels, positions);
        for (int position = FIRST(tile); position < positions; position += TEAM) {
            const size_t place = start + (size_t)position * TILE;
            VECTOR_OUT(output + place) = (VECTOR(input + place) - mean) * scale + shift;
        }
    }
}
