// The end of a training step: the batch's loss and right answers, and one step of stochastic gradient descent, as PyTorch
// computes it. Parameters and gradients are [replica][count]; the gradients of parameters tile_offset ... tile_offset +
// tile_count - 1 are the sums of tile_gradients [replica][tile][tile_count], in order. weight_decay times the parameter is
// added to its gradient g. With MOMENTUM, v = momentum * v + g takes its place, with a v per parameter, 0 at first, in
// velocities [replica][count]. Then the parameter -= learning rate * v.
// rates[row] = (learning rate, unused); loss_and_correct[r][t] = (sum of losses, right answers) become losses and
// correct, [step][replica]; the cursor moves on to the next step.
//
// A work-group takes CHUNK x LANES vectors. Groups: (chunk, 1, replica). Numbers of parameters are multiples of 16.
#include "step_end.clh"

TILE_KERNEL void sgd_step(const int count, __global float *restrict gradients,
                          __global const float *restrict tile_gradients, const int tile_offset, const int tile_count,
                          const int tiles, __global const float *restrict loss_and_correct,
                          __global const float *restrict rates, __global const int *restrict current,
                          const float weight_decay,
#if MOMENTUM
                          const float momentum, __global float *restrict velocities,
#endif
                          __global float *restrict parameters, __global float *restrict losses,
                          __global int *restrict correct, __global int *restrict cursor) {
    const int replica = get_group_id(2);
    current += 4 * replica;
    const int valid = current[1];
    finish_step(replica, tiles, valid, current[2], loss_and_correct, losses, correct, cursor);
    if (valid == 0) return;

    rates += (size_t)2 * current[3];
    const float learning_rate = rates[0];
    const size_t base = (size_t)replica * count;
    tile_gradients += replica * tiles * tile_count;
    for (int turn = 0; turn < CHUNK; turn++) {
        const int index = ((get_group_id(0) * CHUNK + turn) * LANES + get_local_id(0)) * VW;
        if (index >= count) return;
        const floatv gradient =
            finished_gradient(index, gradients, base, tile_gradients, tile_offset, tile_count, tiles);
        const floatv parameter = VECTOR(parameters + base + index);
        floatv change = gradient + parameter * weight_decay;
#if MOMENTUM
        change += VECTOR(velocities + base + index) * momentum;
        VECTOR_OUT(velocities + base + index) = change;
#endif
        VECTOR_OUT(parameters + base + index) = parameter - learning_rate * change;
    }
}
