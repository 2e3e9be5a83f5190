// Rounds the float32 sums of kmeans_accumulate's blocks to whole units and adds them to the totals: sums [k][D] in units, then
// counts [k]. Integers are added exactly, so the totals have the same bits in any order of the blocks. With `overwrite` the
// totals start at zero; with COMPENSATED every block has corrections of its own, [block][2][k][D], which are rounded like the
// sums. One work-item per sum, then one per cluster's count.
// `units_per_one` is a power of two, so scaling is exact; no scaled sum reaches 2^63.
// Defines: COMPENSATED.

// The whole number nearest to a value whose magnitude is below 2^63; ties go to even, as on the CPU. Adding 2^23 rounds a
// float32 below that; larger ones are whole already. rint() is a call on some processors and takes 15 times as long.
static inline long whole_units(const float value) {
    const float large = as_float((as_uint(value) & 0x80000000u) | 0x4b000000u);
    return convert_long((as_uint(value) & 0x7fffffffu) < 0x4b000000u ? (value + large) - large : value);
}

__kernel void kmeans_reduce(
    __global const float *partials, __global const int *partial_counts, __global long *totals,
    const float units_per_one, const int blocks, const int size, const int clusters, const int overwrite) {
    const int element = get_global_id(0);
    if (element < size) {
        long sum = overwrite ? 0 : totals[element];
        for (int block = 0; block < blocks; block++) {
            __global const float *partial = partials + (size_t)block * size * (1 + COMPENSATED);
            sum += whole_units(partial[element] * units_per_one);
#if COMPENSATED
            sum += whole_units(partial[size + element] * units_per_one);
#endif
        }
        totals[element] = sum;
    } else if (element < size + clusters) {
        long sum = overwrite ? 0 : totals[element];
        for (int block = 0; block < blocks; block++) sum += partial_counts[block * clusters + element - size];
        totals[element] = sum;
    }
}
