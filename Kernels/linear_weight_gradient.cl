// Gradient of a linear layer's weights and biases, one slice of it: gradients[r][slice][offset + i * STRIDE + o] = sum
// over the slice's samples of input[r][t][i][s] * output_gradient[r][t][s][o], where input INPUTS is 1 (the bias).
//
// The lanes are outputs here, so that no sum runs across lanes; output_gradient is the transposed one.
// A work-item holds IB inputs x VW outputs. Groups: (output vectors by LANES, input block, replica * SLICES + slice).
#define CHUNK COUNT_CEIL(TILES, SLICES)

#if VW == 1
// More samples of the inputs at once than this do not fit into a GPU's scalar registers.
#define EIGHT_AT_A_TIME _Pragma("unroll 8")
#else
#define EIGHT_AT_A_TIME
#endif

TILE_KERNEL void linear_weight_gradient(__global const float *restrict input,
                                        __global const float *restrict output_gradient, const int offset,
                                        const int parameter_count, __global float *restrict gradients) {
    const int output = (get_group_id(0) * LANES + get_local_id(0)) * VW;
    if (output >= STRIDE) return;
    const int block = get_group_id(1) * IB;
    const int replica = get_group_id(2) / SLICES;
    const int slice = get_group_id(2) - replica * SLICES;
    const int first = slice * CHUNK;
    const int end = min(first + CHUNK, TILES);
    input += (size_t)replica * TILES * INPUTS * TILE;
    output_gradient += (size_t)replica * TILES * TILE * STRIDE + output;
    gradients += (size_t)get_group_id(2) * parameter_count + offset + output;

    if (block + IB <= INPUTS) {
        floatv sum[IB];
        UNROLL for (int i = 0; i < IB; i++) sum[i] = 0;
        for (int tile = first; tile < end; tile++) {
            __global const float *source = input + ((size_t)tile * INPUTS + block) * TILE;
            __global const float *delta = output_gradient + (size_t)tile * TILE * STRIDE;
            EIGHT_AT_A_TIME for (int sample = 0; sample < TILE; sample++) {
                const floatv value = VECTOR(delta + sample * STRIDE);
                UNROLL for (int i = 0; i < IB; i++) sum[i] += value * source[i * TILE + sample];
            }
        }
        UNROLL for (int i = 0; i < IB; i++) VECTOR_OUT(gradients + (block + i) * STRIDE) = sum[i];
    } else {
        // The last rows and the bias.
        for (int i = block; i <= INPUTS; i++) {
            floatv sum = 0;
            for (int tile = first; tile < end; tile++) {
                __global const float *source = input + ((size_t)tile * INPUTS + i) * TILE;
                __global const float *delta = output_gradient + (size_t)tile * TILE * STRIDE;
                EIGHT_AT_A_TIME for (int sample = 0; sample < TILE; sample++) {
                    sum += VECTOR(delta + sample * STRIDE) * (i < INPUTS ? source[sample] : 1.0f);
                }
            }
            VECTOR_OUT(gradients + i * STRIDE) = sum;
        }
    }
}
