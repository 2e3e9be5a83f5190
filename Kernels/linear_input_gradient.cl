// input_gradient[r][t][i][s] = sum over o of output_gradient[r][t][o][s] * weights[i][o]. With RELU, `input` was a
// ReLU's output and the result is 0 where it is not positive. With TRANSPOSED, the result is also stored as
// transposed[r][t][s][i], rows of INPUT_STRIDE with 0 in the padding.
//
// A work-item holds IB inputs; IB divides INPUTS. Groups: (tile, input block, replica).
TILE_KERNEL void linear_input_gradient(__global const float *restrict output_gradient,
                                       __global const float *restrict parameters, const int weights, const int stride,
                                       __global const float *restrict input, __global float *restrict input_gradient,
                                       __global float *restrict transposed) {
    const int offset = get_local_id(0) * VW;
    const size_t batch_tile = get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int block = get_group_id(1) * IB;
    parameters += (size_t)get_group_id(2) * stride + weights + block * STRIDE;
    output_gradient += batch_tile * OUTPUTS * TILE + offset;
    floatv sum[IB];
    UNROLL for (int i = 0; i < IB; i++) sum[i] = 0;
    for (int o = 0; o < OUTPUTS; o++) {
        const floatv value = VECTOR(output_gradient + o * TILE);
        UNROLL for (int i = 0; i < IB; i++) sum[i] += value * parameters[i * STRIDE + o];
    }
    const size_t target = (batch_tile * INPUTS + block) * TILE + offset;
    UNROLL for (int i = 0; i < IB; i++) {
#if RELU
        sum[i] = choose(VECTOR(input + target + i * TILE) <= 0, (floatv)0, sum[i]);
#endif
        VECTOR_OUT(input_gradient + target + i * TILE) = sum[i];
    }
#if TRANSPOSED
    __global float *rows = transposed + (batch_tile * TILE + offset) * INPUT_STRIDE;
    UNROLL for (int i = 0; i < IB; i++) store_column(rows + block + i, INPUT_STRIDE, sum[i]);
    if (block + IB == INPUTS) {
        for (int padding = INPUTS; padding < INPUT_STRIDE; padding++) store_column(rows + padding, INPUT_STRIDE, 0);
    }
#endif
}
