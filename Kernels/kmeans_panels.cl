// Centroids [k][D] into panels [panel][1 + D][R]; the first row is -|c|^2 / 2, -infinity where there is no centroid.
// One work-item a slot of a panel.
// Defines: D, R.

__kernel void kmeans_panels(__global const float *values, __global float *panels, const int count) {
    const int centroid = get_global_id(0);
    if (centroid >= COUNT_CEIL(count, R) * R) return;
    const int panel = centroid / R;
    __global const float *from = values + centroid * D;
    __global float *to = panels + (size_t)panel * (1 + D) * R + (centroid - panel * R);
    float square = 0.0f;
    for (int dimension = 0; dimension < D; dimension++) {
        const float value = centroid < count ? from[dimension] : 0.0f;
        to[(1 + dimension) * R] = value;
        square = fma(value, value, square);
    }
    to[0] = centroid < count ? -0.5f * square : -INFINITY;
}
