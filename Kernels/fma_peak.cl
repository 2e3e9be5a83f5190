// values[i] = what STEPS times value * 0.75 + 0.25 make of it: arithmetic with next to no memory, to measure a device's
// limit. A work-item holds 8 vectors, enough chains that none waits for the multiplier.
//
// The fixed point is 1, so that neither overflow nor denormal numbers can slow a chain down.
#define CHAINS 8

__kernel void fma_peak(__global float *restrict values) {
    const int item = get_global_id(0);
    const int items = get_global_size(0);
    floatv chain[CHAINS];
    UNROLL for (int c = 0; c < CHAINS; c++) chain[c] = load_floatv(values, c * items + item);
    for (int step = 0; step < STEPS; step++) {
        UNROLL for (int c = 0; c < CHAINS; c++) chain[c] = fma(chain[c], (floatv)0.75f, (floatv)0.25f);
    }
    UNROLL for (int c = 0; c < CHAINS; c++) store_floatv(values, c * items + item, chain[c]);
}
