// The end of a training step: the batch's loss and right answers, and one step of Adam (Kingma & Ba 2015, algorithm 1,
// as PyTorch computes it). Parameters, gradients, first and second moments are [replica][count]; the gradients of
// parameters tile_offset ... tile_offset + tile_count - 1 are the sums of tile_gradients [replica][tile][tile_count], in
// order. The numbers are arguments, so that one program serves networks of every size.
// rates[row] = (learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t)); loss_and_correct[r][t] = (sum of losses, right answers)
// become losses and correct, [step][replica]; the cursor moves on to the next step.
//
// With PENALTY weight_decay times the parameter is added to its gradient (Adam with an L2 penalty). With DECOUPLED the
// parameter shrinks by itself, before the step (AdamW: Loshchilov & Hutter 2019, algorithm 2): rates has a third number
// per step, 1 - learning rate * weight decay. Both are as in PyTorch.
//
// A work-group takes CHUNK x LANES vectors. Groups: (chunk, 1, replica). Numbers of parameters are multiples of 16.
#include "step_end.clh"

#define RATES (DECOUPLED ? 3 : 2)

TILE_KERNEL void adam_step(const int count, __global float *restrict gradients,
                           __global const float *restrict tile_gradients, const int tile_offset, const int tile_count,
                           const int tiles, __global const float *restrict loss_and_correct,
                           __global const float *restrict rates, __global const int *restrict current,
                           const float one_minus_beta1, const float beta2, const float one_minus_beta2,
                           const float epsilon,
#if PENALTY
                           const float weight_decay,
#endif
                           __global float *restrict parameters, __global float *restrict first_moments,
                           __global float *restrict second_moments, __global float *restrict losses,
                           __global int *restrict correct, __global int *restrict cursor) {
    const int replica = get_group_id(2);
    current += 4 * replica;
    const int valid = current[1];
    finish_step(replica, tiles, valid, current[2], loss_and_correct, losses, correct, cursor);
    if (valid == 0) return;

    rates += (size_t)RATES * current[3];
    const float step_size = rates[0];
    const float correction = rates[1];
#if DECOUPLED
    const float kept = rates[2];
#endif
    const size_t base = (size_t)replica * count;
    tile_gradients += replica * tiles * tile_count;
    for (int turn = 0; turn < CHUNK; turn++) {
        const int index = ((get_group_id(0) * CHUNK + turn) * LANES + get_local_id(0)) * VW;
        if (index >= count) return;
        floatv gradient = finished_gradient(index, gradients, base, tile_gradients, tile_offset, tile_count, tiles);
#if PENALTY
        gradient += VECTOR(parameters + base + index) * weight_decay;
#endif
        floatv m = VECTOR(first_moments + base + index);
        floatv v = VECTOR(second_moments + base + index);
        m += (gradient - m) * one_minus_beta1;
        v = v * beta2 + gradient * gradient * one_minus_beta2;
        VECTOR_OUT(first_moments + base + index) = m;
        VECTOR_OUT(second_moments + base + index) = v;
#if DECOUPLED
        VECTOR_OUT(parameters + base + index) =
            VECTOR(parameters + base + index) * kept - step_size * m / (sqrt(v) * correction + epsilon);
#else
        VECTOR_OUT(parameters + base + index) -= step_size * m / (sqrt(v) * correction + epsilon);
#endif
    }
}
