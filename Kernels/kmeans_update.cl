// Moves centroids [k][D] to the mean of their points, shifts[c] being how far (squared). A cluster without points stays.
// With WEIGHTED the old centroid counts as weights[c] points, and the weight grows by the count.
// One work-item a centroid.
// Defines: D, WEIGHTED.

__kernel void kmeans_update(
    __global const float *totals, __global const int *counts, __global float *values, __global float *weights,
    __global float *shifts, const int clusters) {
    const int cluster = get_global_id(0);
    if (cluster >= clusters) return;
    const float count = convert_float(counts[cluster]);
    const int size = clusters * D;
    float shift = 0.0f;
    if (count > 0.0f) {
#if WEIGHTED
        const float before = weights[cluster];
        weights[cluster] = before + count;
#else
        const float before = 0.0f;
#endif
        for (int dimension = 0; dimension < D; dimension++) {
            const int element = cluster * D + dimension;
            const float sum = totals[element] + totals[size + element];
            const float old = values[element];
            const float value = (old * before + sum) / (before + count);
            values[element] = value;
            shift = fma(value - old, value - old, shift);
        }
    }
    shifts[cluster] = shift;
}
