// Moves centroids [k][D] to the mean of their points, shifts[c] being how far (squared). A cluster without points stays.
// One work-item a centroid.
// Defines: D.

__kernel void kmeans_update(
    __global const float *totals, __global const int *counts, __global float *values, __global float *shifts,
    const int clusters) {
    const int cluster = get_global_id(0);
    if (cluster >= clusters) return;
    const float count = convert_float(counts[cluster]);
    const int size = clusters * D;
    float shift = 0.0f;
    if (count > 0.0f) {
        for (int dimension = 0; dimension < D; dimension++) {
            const int element = cluster * D + dimension;
            const float sum = totals[element] + totals[size + element];
            const float old = values[element];
            const float value = sum / count;
            values[element] = value;
            shift = fma(value - old, value - old, shift);
        }
    }
    shifts[cluster] = shift;
}
