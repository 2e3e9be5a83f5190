// The gradients of a linear layer's weights and biases over a batch: gradient[r][i][o] = sum over all samples, in order, of
// input[r][t][i][s] * transposed_delta[r][t][s][o], where input number `inputs` is 1. Gradients lie as linear_forward has
// weights, with 0 in the padding, as transposed_delta has it; masked samples have a delta of 0. Without BIASES,
// for a layer before batch norm, the last row is 0.
//
// A member takes every block of ROWS_AT_ONCE rows x 2 vectors of outputs, or of twice the rows x the one vector at the end of
// a row (linear_gradients.clh), that falls to it of all members of the replica's work-groups. Groups: (1, share, replica).
#include "linear_gradients.clh"

TEAM_KERNEL void linear_weight_gradients(__global const float *restrict input,
                                         __global const float *restrict transposed_delta, const int inputs,
                                         const int outputs, const int tiles, const int stride, const int offset,
                                         __global float *restrict gradients) {
    const int replica = get_group_id(2);
    const int columns = PADDED(outputs);
    const size_t first = (size_t)replica * tiles * TILE;
    linear_weight_gradient(input + first * inputs, transposed_delta + first * columns, inputs, columns, tiles,
                           get_global_id(1), get_global_size(1), gradients + (size_t)replica * stride + offset);
}
