// batch[i] = points[indices[i]], both as [tile][D][P]; lanes beyond the last point become zero.
// One work-group of LANES work-items a tile of the batch.
// Defines: D, P.

TILE_KERNEL void points_gather(
    __global const float *points, __global const int *indices, __global float *batch, const int count) {
    const int tile = get_group_id(0);
    __global float *out = batch + (size_t)tile * D * P;
    for (int lane = get_local_id(0); lane < P; lane += LANES) {
        const int point = tile * P + lane;
        const int index = indices[min(point, count - 1)];
        const int from_tile = index / P;
        __global const float *from = points + (size_t)from_tile * D * P + (index - from_tile * P);
        for (int dimension = 0; dimension < D; dimension++) {
            out[dimension * P + lane] = point < count ? from[dimension * P] : 0.0f;
        }
    }
}
