// Rounds the float32 sums of kmeans_accumulate's blocks to whole units and adds them to the totals: sums [k][D] in units,
// then counts [k]. Integers are added exactly, so totals have the same bits for any order of the blocks. With `overwrite`
// the totals start at zero; with COMPENSATED every block has corrections of its own, [block][2][k][D], which are rounded to
// units like the sums. One work-item per sum, then one per cluster's count.
// `units_per_one` is a power of two, so that scaling is exact; no scaled sum reaches 2^63.
// Defines: COMPENSATED.

__kernel void kmeans_reduce(
    __global const float *partials, __global const int *partial_counts, __global long *totals,
    const float units_per_one, const int blocks, const int size, const int clusters, const int overwrite) {
    const int element = get_global_id(0);
    if (element < size) {
        long sum = overwrite ? 0 : totals[element];
        for (int block = 0; block < blocks; block++) {
            __global const float *partial = partials + (size_t)block * size * (1 + COMPENSATED);
            // Ties go to even, as in the CPU's form.
            sum += convert_long(rint(partial[element] * units_per_one));
#if COMPENSATED
            sum += convert_long(rint(partial[size + element] * units_per_one));
#endif
        }
        totals[element] = sum;
    } else if (element < size + clusters) {
        long sum = overwrite ? 0 : totals[element];
        for (int block = 0; block < blocks; block++) sum += partial_counts[block * clusters + element - size];
        totals[element] = sum;
    }
}
