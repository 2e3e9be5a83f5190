// output[r][t][o][s] = weights[INPUTS][o] + sum over i of input[r][t][i][s] * weights[i][o], through ReLU if RELU.
// Weights are [INPUTS + 1][STRIDE], the bias as last row.
//
// A work-item holds OB outputs; OB divides OUTPUTS. Groups: (tile, output block, replica).
TILE_KERNEL void linear_forward(__global const float *restrict input, __global const float *restrict parameters,
                                const int weights, const int stride, __global float *restrict output) {
    const size_t batch_tile = get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int block = get_group_id(1) * OB;
    parameters += (size_t)get_group_id(2) * stride + weights + block;
    input += batch_tile * INPUTS * TILE + get_local_id(0) * VW;
    output += (batch_tile * OUTPUTS + block) * TILE + get_local_id(0) * VW;
    floatv sum[OB];
    UNROLL for (int o = 0; o < OB; o++) sum[o] = parameters[INPUTS * STRIDE + o];
    for (int i = 0; i < INPUTS; i++) {
        const floatv value = VECTOR(input + i * TILE);
        UNROLL for (int o = 0; o < OB; o++) sum[o] += value * parameters[i * STRIDE + o];
    }
    UNROLL for (int o = 0; o < OB; o++) {
#if RELU
        // Written so that a NaN passes.
        sum[o] = choose(sum[o] <= 0, (floatv)0, sum[o]);
#endif
        VECTOR_OUT(output + o * TILE) = sum[o];
    }
}
