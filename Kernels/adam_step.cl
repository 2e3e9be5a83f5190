// The end of a training step: the batch's loss and right answers, and one step of Adam (Kingma & Ba 2015, algorithm 1,
// as PyTorch computes it). Parameters, gradients, first and second moments are [replica][count]; the gradients of
// parameters tile_offset ... tile_offset + tile_count - 1 are the sums of tile_gradients [replica][tile][tile_count], in
// order. The numbers are arguments, so that one program serves networks of every size.
// rates[step] = (learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t)); loss_and_correct[r][t] = (sum of losses, right answers)
// become losses and correct, [step][replica]; the cursor moves on to the next step.
//
// A work-group takes CHUNK x LANES vectors. Groups: (chunk, 1, replica). Numbers of parameters are multiples of 16.
TILE_KERNEL void adam_step(const int count, __global float *restrict gradients,
                           __global const float *restrict tile_gradients, const int tile_offset, const int tile_count,
                           const int tiles, __global const float *restrict loss_and_correct,
                           __global const float *restrict rates, __global const int *restrict current,
                           const float one_minus_beta1, const float beta2, const float one_minus_beta2,
                           const float epsilon, __global float *restrict parameters, __global float *restrict first_moments,
                           __global float *restrict second_moments, __global float *restrict losses,
                           __global int *restrict correct, __global int *restrict cursor) {
    const int replica = get_group_id(2);
    const int valid = current[1];
    const int step = current[2];
    if (get_group_id(0) == 0 && get_local_id(0) == 0) {
        float loss = 0;
        float right = 0;
        for (int tile = 0; tile < tiles; tile++) {
            loss += loss_and_correct[2 * (replica * tiles + tile)];
            right += loss_and_correct[2 * (replica * tiles + tile) + 1];
        }
        losses[step * get_num_groups(2) + replica] = loss / valid;
        correct[step * get_num_groups(2) + replica] = (int)right;
        if (replica == 0) cursor[0] = step + 1;
    }

    const float step_size = rates[2 * step];
    const float correction = rates[2 * step + 1];
    const size_t base = (size_t)replica * count;
    tile_gradients += replica * tiles * tile_count;
    for (int turn = 0; turn < CHUNK; turn++) {
        const int index = ((get_group_id(0) * CHUNK + turn) * LANES + get_local_id(0)) * VW;
        if (index >= count) return;
        const int slice = index - tile_offset;
        floatv gradient;
        if (slice >= 0 && slice < tile_count) {
            gradient = VECTOR(tile_gradients + slice);
            for (int tile = 1; tile < tiles; tile++) gradient += VECTOR(tile_gradients + tile * tile_count + slice);
            VECTOR_OUT(gradients + base + index) = gradient;
        } else {
            gradient = VECTOR(gradients + base + index);
        }
        floatv m = VECTOR(first_moments + base + index);
        floatv v = VECTOR(second_moments + base + index);
        m += (gradient - m) * one_minus_beta1;
        v = v * beta2 + gradient * gradient * one_minus_beta2;
        VECTOR_OUT(first_moments + base + index) = m;
        VECTOR_OUT(second_moments + base + index) = v;
        VECTOR_OUT(parameters + base + index) -= step_size * m / (sqrt(v) * correction + epsilon);
    }
}
