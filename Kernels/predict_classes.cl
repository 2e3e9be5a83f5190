// predictions[r][first sample + position in batch] = the class of the largest logit, the lowest on ties, for each valid
// sample of a batch of logits [r][t][class][s]; the cursor moves on to the next step.
//
// A work-group takes one tile. Groups: (tile, 1, replica).
#include "softmax.clh"

TILE_KERNEL void predict_classes(__global const float *restrict logits, __global const int *restrict current,
                                 const int classes, const int stride, __global int *restrict predictions,
                                 __global int *restrict cursor) {
    const int tile = get_group_id(0);
    const int replica = get_group_id(2);
    current += 4 * replica;
    const size_t batch_tile = (size_t)replica * get_num_groups(0) + tile;
    predict(logits + batch_tile * classes * TILE + get_local_id(0) * VW, classes, valid_samples(tile, current[1]),
            predictions + (size_t)replica * stride + current[0] + tile * TILE);
    if (batch_tile == 0 && get_local_id(0) == 0) cursor[0] = current[2] + 1;
}
