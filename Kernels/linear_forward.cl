// A linear layer: output[r][t][o][s] = sum over i of input[r][t][i][s] * weights[r][i][o], from the bias on, which is the
// last of the inputs + 1 rows of weights. Rows have PADDED(outputs) columns; a replica's begin at parameters[r * stride +
// offset]. Nothing is masked.
//
// A work-group takes TILES_AT_ONCE tiles, since each weight that is loaded then serves more samples (the last one takes a
// tile twice where this does not divide their number), and a share of the blocks of BLOCK outputs. Groups: (tiles /
// TILES_AT_ONCE, share, replica).
#define MEMBER (int)get_global_id(1)
#define MEMBERS (int)get_global_size(1)
#include "linear.clh"

TEAM_KERNEL void linear_forward(__global float *restrict input, __global const float *restrict parameters,
                                const int stride, const int offset, const int inputs, const int outputs,
                                const int tiles, __global float *restrict output) {
    const int replica = get_group_id(2);
    tiles_t group;
    UNROLL for (int k = 0; k < TILES_AT_ONCE; k++) {
        group.tile[k] = (size_t)replica * tiles + min((int)get_group_id(0) * TILES_AT_ONCE + k, tiles - 1);
    }
    linear_layer(group, input, inputs, parameters + (size_t)replica * stride + offset, output, outputs, 0);
}
