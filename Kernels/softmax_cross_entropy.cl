// Mean cross-entropy of the softmax over a batch's valid samples, right answers, and the gradient of the logits
// (softmax - one-hot) / valid, as delta[r][t][class][s] and as transposed[r][t][s][class], rows of STRIDE with 0 in the
// padding; 0 in masked samples. losses and correct are [step][replica].
//
// A work-group walks all tiles of its replica, so that the sums have one order. Groups: (1, 1, replica).
TILE_KERNEL void softmax_cross_entropy(__global const float *restrict logits, __global const int *restrict labels,
                                       __global const int *restrict current, const int tiles,
                                       __global float *restrict losses, __global int *restrict correct,
                                       __global float *restrict delta, __global float *restrict transposed) {
    __local float scratch[LANES];
    const int offset = get_local_id(0) * VW;
    const int replica = get_group_id(2);
    const int valid = current[1];
    floatv loss = 0;
    floatv right = 0;
    for (int tile = 0; tile < tiles; tile++) {
        const size_t batch_tile = (size_t)replica * tiles + tile;
        const int counted = valid_samples(tile, valid);
        __global const float *values = logits + batch_tile * CLASSES * TILE + offset;
        __global float *target = delta + batch_tile * CLASSES * TILE + offset;
        const intv label = *(__global const intv *)(labels + batch_tile * TILE + offset);

        floatv largest = VECTOR(values);
        intv best = 0;
        floatv own = largest;
        for (int class = 1; class < CLASSES; class++) {
            const floatv value = VECTOR(values + class * TILE);
            const intv larger = value > largest;
            largest = choose(larger, value, largest);
            best = choose_int(larger, class, best);
            own = choose(label == class, value, own);
        }
        floatv sum = 0;
        for (int class = 0; class < CLASSES; class++) {
            const floatv power = exp(VECTOR(values + class * TILE) - largest);
            VECTOR_OUT(target + class * TILE) = power;
            sum += power;
        }
        __global float *row = transposed + (batch_tile * TILE + offset) * STRIDE;
        for (int class = 0; class < CLASSES; class++) {
            const floatv probability = VECTOR(target + class * TILE) / sum;
            const floatv gradient = (probability - choose(label == class, (floatv)1, (floatv)0)) / valid;
            const floatv kept = mask_samples(gradient, counted);
            VECTOR_OUT(target + class * TILE) = kept;
            store_column(row + class, STRIDE, kept);
        }
        for (int padding = CLASSES; padding < STRIDE; padding++) store_column(row + padding, STRIDE, 0);
        loss += mask_samples(log(sum) + largest - own, counted);
        right += mask_samples(choose(label == best, (floatv)1, (floatv)0), counted);
    }
    const float total = tile_sum(loss, scratch);
    const float count = tile_sum(right, scratch);
    if (get_local_id(0) == 0) {
        losses[current[2] * get_num_groups(2) + replica] = total / valid;
        correct[current[2] * get_num_groups(2) + replica] = (int)count;
    }
}
