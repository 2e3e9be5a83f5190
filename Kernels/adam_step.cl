// One step of Adam (Kingma & Ba 2015, algorithm 1, as PyTorch computes it), the gradient's slices added in order:
// parameters, first and second moments are [replica][COUNT], gradients [replica][SLICES][COUNT].
// rates[step] = (learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t)).
//
// A work-group takes CHUNK x LANES vectors. Groups: (chunk, 1, replica). COUNT is a multiple of 16.
TILE_KERNEL void adam_step(__global const float *restrict gradients, __global const float *restrict rates,
                           __global const int *restrict current, const float towards, const float decay,
                           const float fresh, const float epsilon, __global float *restrict parameters,
                           __global float *restrict first_moments, __global float *restrict second_moments) {
    const float step_size = rates[2 * current[2]];
    const float correction = rates[2 * current[2] + 1];
    const size_t base = (size_t)get_group_id(2) * COUNT;
    gradients += base * SLICES;
    for (int turn = 0; turn < CHUNK; turn++) {
        const int index = ((get_group_id(0) * CHUNK + turn) * LANES + get_local_id(0)) * VW;
        if (index >= COUNT) return;
        floatv gradient = VECTOR(gradients + index);
        for (int slice = 1; slice < SLICES; slice++) gradient += VECTOR(gradients + slice * COUNT + index);
        floatv m = VECTOR(first_moments + base + index);
        floatv v = VECTOR(second_moments + base + index);
        m += (gradient - m) * towards;
        v = v * decay + gradient * gradient * fresh;
        VECTOR_OUT(first_moments + base + index) = m;
        VECTOR_OUT(second_moments + base + index) = v;
        VECTOR_OUT(parameters + base + index) -= step_size * m / (sqrt(v) * correction + epsilon);
    }
}
