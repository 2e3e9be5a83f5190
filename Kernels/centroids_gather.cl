// values[slots[i]] = points[indices[i]]: points [tile][D][P], values [k][D]. One work-item an i.
// Defines: D, P.

__kernel void centroids_gather(
    __global const float *points, __global const int *indices, __global const int *slots, __global float *values,
    const int count) {
    const int i = get_global_id(0);
    if (i >= count) return;
    const int index = indices[i];
    const int tile = index / P;
    __global const float *from = points + (size_t)tile * D * P + (index - tile * P);
    __global float *to = values + slots[i] * D;
    for (int dimension = 0; dimension < D; dimension++) to[dimension] = from[dimension * P];
}
