// The classifier's whole part of a training step: batch norm and ReLU of the block before it (whose pool is done), three
// linear layers with ReLU between them, softmax cross-entropy, and the gradients of everything back to the block.
// Layers are weights [inputs + 1][stride], the bias as last row, 0 in the padding.
//
// Written: features, hidden1, hidden2 and logits [r][t][value][s]; the deltas, gradients of the mean loss over the
// batch's valid samples, 0 in masked ones, as [r][t][value][s] and transposed as [r][t][s][value] with rows of stride
// and 0 in the padding; feature_gradient, 0 where ReLU let nothing pass; sums[r][t][channel] = (sum of feature_gradient,
// sum of it times the normalised input), which the block's backward pass wants; results[r][t] = (sum of losses, right
// answers).
// Without TRAINING, the block is normalised by its running statistics, and after the logits comes
// predictions[r][first sample + position in batch], the class of the largest one, the lowest on ties, for each valid
// sample; the cursor moves on to the next step.
//
// A work-group takes TILES_AT_ONCE tiles, since each weight that is loaded then serves more samples; the last group of
// a number that this does not divide takes a tile more than once, with the same results. A member holds BLOCK outputs
// for each of them in registers; BLOCK divides 16. Groups: (tiles / TILES_AT_ONCE, 1, replica).

#define FEATURES (CHANNELS * POSITIONS)

#include "batch_norm.clh"
#include "linear.clh"

#if TRAINING
// One tile's losses and right answers, a value a sample, and the gradient of its logits (softmax - one-hot) / valid.
INLINE void softmax_cross_entropy(__global const float *logits, __global float *delta, __global float *row,
                                         const intv label, const int counted, const int valid, __local floatv *losses,
                                         __local floatv *answers) {
    floatv largest = VECTOR(logits);
    intv best = 0;
    floatv own = largest;
    for (int class = 1; class < CLASSES; class++) {
        const floatv value = VECTOR(logits + class * TILE);
        const intv larger = value > largest;
        largest = choose(larger, value, largest);
        best = choose_int(larger, class, best);
        own = choose(label == class, value, own);
    }
    floatv sum = 0;
    for (int class = 0; class < CLASSES; class++) {
        const floatv power = exp(VECTOR(logits + class * TILE) - largest);
        VECTOR_OUT(delta + class * TILE) = power;
        sum += power;
    }
    for (int class = 0; class < CLASSES; class++) {
        const floatv probability = VECTOR(delta + class * TILE) / sum;
        const floatv gradient = (probability - choose(label == class, (floatv)1, (floatv)0)) / valid;
        const floatv kept = mask_samples(gradient, counted);
        VECTOR_OUT(delta + class * TILE) = kept;
        store_column(row + class, PADDED(CLASSES), kept);
    }
    losses[get_local_id(0)] = log(sum) + largest - own;
    answers[get_local_id(0)] = choose(label == best, (floatv)1, (floatv)0);
}
#else
static inline void predict(__global const float *logits, const int counted, __global int *predictions) {
    floatv largest = VECTOR(logits);
    intv best = 0;
    for (int class = 1; class < CLASSES; class++) {
        const floatv value = VECTOR(logits + class * TILE);
        const intv larger = value > largest;
        largest = choose(larger, value, largest);
        best = choose_int(larger, class, best);
    }
    int lanes[VW];
    store_private_intv(best, lanes);
    const int offset = get_local_id(0) * VW;
    for (int lane = 0; lane < VW; lane++) {
        if (offset + lane < counted) predictions[offset + lane] = lanes[lane];
    }
}
#endif

TEAM_KERNEL void classifier_step(
    __global const float *restrict extremes, __global const float *restrict parameters, const int stride,
    const int gamma, const int beta, const int weights1, const int weights2, const int weights3,
    __global const int *restrict current, const int tiles, __global float *restrict running,
    __global float *restrict features, __global float *restrict hidden1, __global float *restrict hidden2,
    __global float *restrict logits,
#if TRAINING
    __global const float *restrict partials, const int norm_positions, __global const int *restrict labels,
    __global float *restrict saved, __global float *restrict delta1, __global float *restrict delta2,
    __global float *restrict delta3, __global float *restrict transposed1, __global float *restrict transposed2,
    __global float *restrict transposed3, __global float *restrict feature_gradient, __global float *restrict sums,
    __global float *restrict results
#else
    const int prediction_stride, __global int *restrict predictions, __global int *restrict cursor
#endif
    ) {
    const int lane = get_local_id(0);
    const int replica = get_group_id(2);
    const int first = get_group_id(0) * TILES_AT_ONCE;
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
    meet();
    for (int channel = get_local_id(1); channel < CHANNELS; channel += TEAM) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const size_t place = (group.tile[k] * FEATURES + channel * POSITIONS) * TILE + lane * VW;
            for (int position = 0; position < POSITIONS * TILE; position += TILE) {
                VECTOR_OUT(features + place + position) =
                    relu(VECTOR(extremes + place + position) * norms[channel].scale + norms[channel].shift);
            }
        }
    }
    meet();
    linear_forward(group, features, FEATURES, parameters + weights1, hidden1, WIDTH1, 1);
    meet();
    linear_forward(group, hidden1, WIDTH1, parameters + weights2, hidden2, WIDTH2, 1);
    meet();
    linear_forward(group, hidden2, WIDTH2, parameters + weights3, logits, CLASSES, 0);
    meet();
#if TRAINING

    __local floatv losses[TILES_AT_ONCE][LANES];
    __local floatv answers[TILES_AT_ONCE][LANES];
    if (get_local_id(1) == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const intv label = *(__global const intv *)(labels + group.tile[k] * TILE + lane * VW);
            softmax_cross_entropy(at(logits, group, k, CLASSES), at(delta3, group, k, CLASSES),
                                  row_of(transposed3, group, k, CLASSES), label,
                                  valid_samples(min(first + k, tiles - 1), valid), valid, losses[k], answers[k]);
        }
    }
    pad_rows(group, transposed3, CLASSES);
    meet();
    if (item_number() == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            const int counted = valid_samples(min(first + k, tiles - 1), valid);
            results[2 * group.tile[k]] = lanes_sum(losses[k], counted);
            results[2 * group.tile[k] + 1] = lanes_sum(answers[k], counted);
        }
    }
    linear_backward(group, delta3, CLASSES, parameters + weights3, hidden2, delta2, WIDTH2, transposed2);
    meet();
    linear_backward(group, delta2, WIDTH2, parameters + weights2, hidden1, delta1, WIDTH1, transposed1);
    meet();
    linear_backward(group, delta1, WIDTH1, parameters + weights1, features, feature_gradient, FEATURES, 0);
    meet();

    __local floatv lane_sums[CHANNELS][LANES];
    __local floatv lane_products[CHANNELS][LANES];
    for (int k = 0; k < TILES_AT_ONCE; k++) {
        for (int channel = get_local_id(1); channel < CHANNELS; channel += TEAM) {
            const size_t place = (group.tile[k] * FEATURES + channel * POSITIONS) * TILE + lane * VW;
            floatv sum = 0;
            floatv product = 0;
            for (int position = 0; position < POSITIONS * TILE; position += TILE) {
                const floatv passed = VECTOR(feature_gradient + place + position);
                const floatv deviation = VECTOR(extremes + place + position) - norms[channel].mean;
                sum += passed;
                product += passed * (deviation * norms[channel].inverse);
            }
            lane_sums[channel][lane] = sum;
            lane_products[channel][lane] = product;
        }
        meet();
        // Masked samples have gradients of 0.
        for (int channel = item_number(); channel < CHANNELS; channel += ITEMS) {
            sums[2 * (group.tile[k] * CHANNELS + channel)] = lanes_sum(lane_sums[channel], TILE);
            sums[2 * (group.tile[k] * CHANNELS + channel) + 1] = lanes_sum(lane_products[channel], TILE);
        }
        meet();
    }
#else
    if (get_local_id(1) == 0) {
        for (int k = 0; k < TILES_AT_ONCE; k++) {
            // No sample of a tile past the last is valid.
            const int tile = first + k;
            predict(at(logits, group, k, CLASSES), valid_samples(tile, valid),
                    predictions + (size_t)replica * prediction_stride + current[0] + tile * TILE);
        }
    }
    if (first == 0 && replica == 0 && item_number() == 0) cursor[0] = current[2] + 1;
#endif
}
