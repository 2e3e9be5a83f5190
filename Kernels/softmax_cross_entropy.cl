// Softmax cross-entropy of a batch: delta[r][t][class][s] = (softmax - one-hot) / valid, the gradient of the mean loss over
// the batch's valid samples with respect to the logits, and transposed[r][t][s][class] the same with rows of
// PADDED(classes); 0 in masked samples and in the padding. loss_and_correct[r][t] = (sum of losses, right answers) over a
// tile's valid samples.
//
// With WEIGHTED, a sample's gradient is its weight times that, weights[r][first sample + position in batch] with rows of
// `stride`, and its unweighted loss is written to the same place in sample_losses; loss_and_correct has unweighted
// losses too.
//
// A work-group takes one tile. Groups: (tile, 1, replica).
#include "softmax.clh"

TILE_KERNEL void softmax_cross_entropy(__global const float *restrict logits, __global const int *restrict labels,
                                       __global const int *restrict current, const int classes,
#if WEIGHTED
                                       __global const float *restrict weights, const int stride,
                                       __global float *restrict sample_losses,
#endif
                                       __global float *restrict delta, __global float *restrict transposed,
                                       __global float *restrict loss_and_correct) {
    const int lane = get_local_id(0) * VW;
    current += 4 * get_group_id(2);
    const int valid = current[1];
    const int counted = valid_samples(get_group_id(0), valid);
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    __global float *row = transposed + (tile * TILE + lane) * PADDED(classes);
    const intv label = *(__global const intv *)(labels + tile * TILE + lane);
    __local floatv losses[LANES];
    __local floatv answers[LANES];
#if WEIGHTED
    const size_t place = (size_t)get_group_id(2) * stride + current[0] + get_group_id(0) * TILE + lane;
    const floatv weight = get_samples(weights + place, counted - lane);
#else
    const floatv weight = 1;
#endif
    softmax_loss(logits + tile * classes * TILE + lane, classes, delta + tile * classes * TILE + lane, row, label, weight,
                 counted, valid, losses, answers);
#if WEIGHTED
    put_samples(sample_losses + place, losses[get_local_id(0)], counted - lane);
#endif
    for (int column = classes; column < PADDED(classes); column++) store_column(row + column, PADDED(classes), 0);
    team_barrier();
    if (get_local_id(0) == 0) {
        loss_and_correct[2 * tile] = lanes_sum(losses, counted);
        loss_and_correct[2 * tile + 1] = lanes_sum(answers, counted);
    }
}
