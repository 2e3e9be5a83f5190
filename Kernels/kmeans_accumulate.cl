// Sums and counts of the clusters over one block of points: partials [block][k][D], counts [block][k]; points
// [tile][D][P]. The points of a block are added one after the other. With COMPENSATED partials are [block][2][k][D]: the
// sums, then what float32 dropped from them.
//
// One work-group a block; each work-item owns every GROUP-th dimension, the first one the counts.
// Defines: D, P, GROUP, COMPENSATED.

GROUP_KERNEL void kmeans_accumulate(
    __global const float *points, __global const int *labels, __global float *partials, __global int *counts,
    const int first, const int block_points, const int count, const int clusters) {
    const int lane = get_local_id(0);
    const int size = clusters * D;
    __global float *partial = partials + (size_t)get_group_id(0) * size * (1 + COMPENSATED);
    __global int *partial_count = counts + (size_t)get_group_id(0) * clusters;
    for (int cluster = 0; cluster < clusters; cluster++) {
        for (int dimension = lane; dimension < D; dimension += GROUP) {
            partial[cluster * D + dimension] = 0.0f;
#if COMPENSATED
            partial[size + cluster * D + dimension] = 0.0f;
#endif
        }
        if (lane == 0) partial_count[cluster] = 0;
    }
    const int start = first + (int)get_group_id(0) * block_points;
    const int end = min(start + block_points, count);
    for (int point = start; point < end; point++) {
        const int cluster = labels[point];
        const int tile = point / P;
        __global const float *x = points + (size_t)tile * D * P + (point - tile * P);
        for (int dimension = lane; dimension < D; dimension += GROUP) {
            const int element = cluster * D + dimension;
#if COMPENSATED
            // Knuth's two-sum.
            const float sum = partial[element];
            const float next = sum + x[dimension * P];
            const float part = next - sum;
            partial[size + element] += (sum - (next - part)) + (x[dimension * P] - part);
            partial[element] = next;
#else
            partial[element] += x[dimension * P];
#endif
        }
        if (lane == 0) partial_count[cluster]++;
    }
}
