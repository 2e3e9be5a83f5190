// Moves centroids [k][D] to the mean of their points, shifts[c] being how far (squared). A cluster without points stays. Totals
// are sums [k][D] in units of `unit`, a power of two, then counts [k]. One work-item per centroid.
// Defines: D.

__kernel void kmeans_update(
    __global const long *totals, __global float *values, __global float *shifts, const float unit,
    const int clusters) {
    const int cluster = get_global_id(0);
    if (cluster >= clusters) return;
    const float count = convert_float(totals[clusters * D + cluster]);
    float shift = 0.0f;
    if (count > 0.0f) {
        for (int dimension = 0; dimension < D; dimension++) {
            const int element = cluster * D + dimension;
            const float old = values[element];
            const float value = convert_float(totals[element]) * unit / count;
            values[element] = value;
            shift = fma(value - old, value - old, shift);
        }
    }
    shifts[cluster] = shift;
}
