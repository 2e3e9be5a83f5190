// The gradient of a linear layer's input: input_gradient[r][t][i][s] = sum over o of output_gradient[r][t][o][s] *
// weights[r][i][o]. Weights lie as linear_forward has them. With TRANSPOSED, transposed[r][t][s][i] has the same with rows of
// PADDED(inputs) and 0 in the padding, for the gradients of the weights of a layer just before.
//
// Work-groups are those of linear_forward, with blocks of BLOCK inputs.
#define MEMBER (int)get_global_id(1)
#define MEMBERS (int)get_global_size(1)
#include "linear.clh"

TEAM_KERNEL void linear_input_gradient(__global float *restrict output_gradient,
                                       __global const float *restrict parameters, const int stride, const int offset,
                                       const int inputs, const int outputs, const int tiles,
                                       __global float *input_gradient, __global float *transposed) {
    const int replica = get_group_id(2);
    tiles_t group;
    UNROLL for (int k = 0; k < TILES_AT_ONCE; k++) {
        group.tile[k] = (size_t)replica * tiles + min((int)get_group_id(0) * TILES_AT_ONCE + k, tiles - 1);
    }
    linear_backward(group, output_gradient, outputs, parameters + (size_t)replica * stride + offset, input_gradient,
                    input_gradient, inputs, TRANSPOSED ? transposed : 0, 0);
}
