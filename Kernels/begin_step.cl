// current := the row of `batches` that the cursor points to, with the step's number; the cursor moves on.
// batches is [steps][4]: first sample, valid samples, 0, 0. current is [4]: first sample, valid samples, step, 0.
__kernel void begin_step(__global const int *restrict batches, __global int *restrict cursor,
                         __global int *restrict current) {
    const int step = cursor[0];
    current[0] = batches[4 * step];
    current[1] = batches[4 * step + 1];
    current[2] = step;
    current[3] = 0;
    cursor[0] = step + 1;
}
