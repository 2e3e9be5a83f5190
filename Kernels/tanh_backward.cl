// The gradient of a tanh's output becomes that of its input: times 1 - output^2, which is taken as (1 - output) *
// (1 + output) so that nothing cancels near 1. gradient[r][t][feature][s] is changed in its place; with TRANSPOSED,
// transposed[r][t][s][feature] has the same with rows of PADDED(features) and 0 in the padding, for the gradients of the
// weights before.
//
// A member takes every feature that falls to it of all members of the work-groups that share a tile. Groups: (tile, share,
// replica).
TEAM_KERNEL void tanh_backward(__global const float *restrict output, const int features,
                               __global float *gradient, __global float *transposed) {
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int lane = get_local_id(0) * VW;
#if TRANSPOSED
    const int columns = PADDED(features);
    transposed += (tile * TILE + lane) * columns;
#else
    const int columns = features;
#endif
    output += tile * features * TILE + lane;
    gradient += tile * features * TILE + lane;
    for (int feature = get_global_id(1); feature < columns; feature += get_global_size(1)) {
        floatv passed = 0;
        if (feature < features) {
            const floatv value = VECTOR(output + (size_t)feature * TILE);
            passed = VECTOR(gradient + (size_t)feature * TILE) * ((1 - value) * (1 + value));
            VECTOR_OUT(gradient + (size_t)feature * TILE) = passed;
        }
#if TRANSPOSED
        store_column(transposed + feature, columns, passed);
#endif
    }
}
