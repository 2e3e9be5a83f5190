// The classifier's whole part of a training step: batch norm and ReLU of the block before it (whose pool is done), one to
// four linear layers with ReLU between them, softmax cross-entropy, and the gradients of everything back to the block.
// Layers are weights [inputs + 1][stride], the bias as last row, 0 in the padding.
//
// Written: hidden0 (the features), hidden1, ..., of which the last are the logits, [r][t][value][s]; the deltas, gradients
// of the mean loss over the batch's valid samples, 0 in masked ones, as [r][t][value][s] and transposed as
// [r][t][s][value] with rows of stride and 0 in the padding; delta0, that of the features, 0 where ReLU let nothing pass;
// sums[r][t][channel] = (sum of delta0, sum of it times the normalised input), which the block's backward pass wants;
// loss_and_correct[r][t] = (sum of losses, right answers).
// With WEIGHTED, the gradient of a sample's loss is its weight times that, sample_weights[r][first sample + position in
// batch] with rows of sample_stride, and the unweighted loss is written to the same place in sample_losses;
// loss_and_correct has unweighted losses too.
// Without TRAINING, the block is normalised by its running statistics, and after the logits comes
// predictions[r][first sample + position in batch], the class of the largest one, the lowest on ties, for each valid
// sample; the cursor moves on to the next step.
//
// A work-group takes TILES_AT_ONCE tiles, since each weight that is loaded then serves more samples; the last group of
// a number that this does not divide takes a tile more than once, with the same results. A member holds BLOCK outputs
// for each of them in registers; BLOCK divides 16. Groups: (tiles / TILES_AT_ONCE, 1, replica).

#define WIDTH0 (CHANNELS * POSITIONS)

// Channels summed at a time: their sums, two per lane, fit into 8 KiB of local memory.
#define SUMS_THAT_FIT ((8 << 10) / (2 * 4 * TILE))
#define SUMMED (CHANNELS < SUMS_THAT_FIT ? CHANNELS : SUMS_THAT_FIT)

#include "batch_norm.clh"
#include "classifier_layers.clh"
#include "linear.clh"
#include "softmax.clh"

#define FORWARD(n, before)                                                                                             \
    linear_layer(group, hidden##before, WIDTH##before, parameters + weights##n, hidden##n, WIDTH##n, n < LAYERS);      \
    team_barrier();
#define BACKWARD(n, before)                                                                                            \
    linear_backward(group, delta##n, WIDTH##n, parameters + weights##n, hidden##before, delta##before, WIDTH##before,  \
                    transposed##before, 1);                                                                            \
    team_barrier();

TEAM_KERNEL void classifier_step(
    __global const float *restrict pooled, __global const float *restrict parameters, const int stride,
    const int gamma, const int beta, EACH_LAYER(const int weights) __global const int *restrict current, const int tiles,
    __global float *restrict running, __global float *restrict hidden0, EACH_HIDDEN(__global float *restrict hidden)
    __global float *restrict OF_LAST_LAYER(hidden),
#if TRAINING
    __global const float *restrict partials, const int norm_positions, __global const int *restrict labels,
#if WEIGHTED
    __global const float *restrict sample_weights, const int sample_stride, __global float *restrict sample_losses,
#endif
    __global float *restrict saved, __global float *restrict delta0, EACH_LAYER(__global float *restrict delta)
    EACH_LAYER(__global float *restrict transposed) __global float *restrict sums,
    __global float *restrict loss_and_correct
#else
    const int prediction_stride, __global int *restrict predictions, __global int *restrict cursor
#endif
    ) {
    const int lane = get_local_id(0);
    const int replica = get_group_id(2);
    const int first = get_group_id(0) * TILES_AT_ONCE;
    current += 4 * replica;
    const int valid = current[1];
    parameters += (size_t)replica * stride;
    running += replica * 2 * CHANNELS;
    tiles_t group;
    UNROLL for (int k = 0; k < TILES_AT_ONCE; k++) group.tile[k] = (size_t)replica * tiles + min(first + k, tiles - 1);

    __local norm_t norms[CHANNELS];
    for (int channel = item_number(); channel < CHANNELS; channel += ITEMS) {
#if TRAINING
        norms[channel] = batch_norm(partials + 2 * replica * tiles * CHANNELS, channel, CHANNELS, tiles, norm_positions,
                                    valid, parameters[gamma + channel], parameters[beta + channel], running, first == 0);
        if (first == 0) {
            saved[2 * (replica * CHANNELS + channel)] = norms[channel].mean;
            saved[2 * (replica * CHANNELS + channel) + 1] = norms[channel].inverse;
        }
#else
        norms[channel] = norm_of(running[channel], running[CHANNELS + channel], parameters[gamma + channel],
                                 parameters[beta + channel]);
#endif
    }
    team_barrier();
    for (int channel = get_local_id(1); channel < CHANNELS; channel += TEAM) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const size_t place = (group.tile[k] * WIDTH0 + channel * POSITIONS) * TILE + lane * VW;
            for (int position = 0; position < POSITIONS * TILE; position += TILE) {
                VECTOR_OUT(hidden0 + place + position) =
                    relu(VECTOR(pooled + place + position) * norms[channel].scale + norms[channel].shift);
            }
        }
    }
    team_barrier();
    FOR_EACH_LAYER(FORWARD)
    __global float *logits = OF_LAST_LAYER(hidden);
#if TRAINING

    __local floatv losses[TILES_AT_ONCE][LANES];
    __local floatv answers[TILES_AT_ONCE][LANES];
    if (get_local_id(1) == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const intv label = *(__global const intv *)(labels + group.tile[k] * TILE + lane * VW);
            const int counted = valid_samples(min(first + k, tiles - 1), valid);
#if WEIGHTED
            const size_t place =
                (size_t)replica * sample_stride + current[0] + min(first + k, tiles - 1) * TILE + lane * VW;
            const floatv weight = get_samples(sample_weights + place, counted - lane * VW);
#else
            const floatv weight = 1;
#endif
            softmax_loss(at(logits, group, k, CLASSES), CLASSES, at(OF_LAST_LAYER(delta), group, k, CLASSES),
                         row_of(OF_LAST_LAYER(transposed), group, k, CLASSES), label, weight, counted, valid, losses[k],
                         answers[k]);
#if WEIGHTED
            put_samples(sample_losses + place, losses[k][lane], counted - lane * VW);
#endif
        }
    }
    pad_rows(group, OF_LAST_LAYER(transposed), CLASSES);
    team_barrier();
    if (item_number() == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const int counted = valid_samples(min(first + k, tiles - 1), valid);
            loss_and_correct[2 * group.tile[k]] = lanes_sum(losses[k], counted);
            loss_and_correct[2 * group.tile[k] + 1] = lanes_sum(answers[k], counted);
        }
    }
    __global float *transposed0 = 0;
    FOR_EACH_LAYER_BACKWARD(BACKWARD)

    __local floatv lane_sums[SUMMED][LANES];
    __local floatv lane_products[SUMMED][LANES];
    for (int turn = 0; turn < TILES_AT_ONCE * COUNT_CEIL(CHANNELS, SUMMED); turn++) {
        const int k = turn / COUNT_CEIL(CHANNELS, SUMMED);
        const int start = (turn - k * COUNT_CEIL(CHANNELS, SUMMED)) * SUMMED;
        const int end = min(start + SUMMED, CHANNELS);
        for (int channel = start + get_local_id(1); channel < end; channel += TEAM) {
            const size_t place = (group.tile[k] * WIDTH0 + channel * POSITIONS) * TILE + lane * VW;
            floatv sum = 0;
            floatv product = 0;
            for (int position = 0; position < POSITIONS * TILE; position += TILE) {
                const floatv passed = VECTOR(delta0 + place + position);
                const floatv deviation = VECTOR(pooled + place + position) - norms[channel].mean;
                sum += passed;
                product += passed * (deviation * norms[channel].inverse);
            }
            lane_sums[channel - start][lane] = sum;
            lane_products[channel - start][lane] = product;
        }
        team_barrier();
        // Masked samples have gradients of 0.
        for (int channel = start + item_number(); channel < end; channel += ITEMS) {
            sums[2 * (group.tile[k] * CHANNELS + channel)] = lanes_sum(lane_sums[channel - start], TILE);
            sums[2 * (group.tile[k] * CHANNELS + channel) + 1] = lanes_sum(lane_products[channel - start], TILE);
        }
        team_barrier();
    }
#else
    if (get_local_id(1) == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            // No sample of a tile past the last is valid.
            const int tile = first + k;
            predict(at(logits, group, k, CLASSES), CLASSES, valid_samples(tile, valid),
                    predictions + (size_t)replica * prediction_stride + current[0] + tile * TILE);
        }
    }
    if (first == 0 && replica == 0 && item_number() == 0) cursor[0] = current[2] + 1;
#endif
}
