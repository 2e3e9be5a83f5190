// Adds the blocks of kmeans_accumulate, in order, to the totals: sums [k][D], then what float32 dropped from them [k][D].
// With `overwrite` the totals start at zero; with COMPENSATED every block has corrections of its own, [block][2][k][D]. One
// work-item per sum, then one per cluster's count.
// Defines: COMPENSATED.

__kernel void kmeans_reduce(
    __global const float *partials, __global const int *partial_counts, __global float *totals, __global int *counts,
    const int blocks, const int size, const int clusters, const int overwrite) {
    const int element = get_global_id(0);
    if (element < size) {
        float sum = overwrite ? 0.0f : totals[element];
        float correction = overwrite ? 0.0f : totals[size + element];
        for (int block = 0; block < blocks; block++) {
            // Knuth's two-sum.
            __global const float *partial = partials + (size_t)block * size * (1 + COMPENSATED);
            const float value = partial[element];
            const float next = sum + value;
            const float part = next - sum;
            correction += (sum - (next - part)) + (value - part);
            sum = next;
#if COMPENSATED
            correction += partial[size + element];
#endif
        }
        totals[element] = sum;
        totals[size + element] = correction;
    } else if (element < size + clusters) {
        const int cluster = element - size;
        int sum = overwrite ? 0 : counts[cluster];
        for (int block = 0; block < blocks; block++) sum += partial_counts[block * clusters + cluster];
        counts[cluster] = sum;
    }
}
