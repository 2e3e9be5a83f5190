// Points [tile][D][P] into rows [row][D]: what points_pack does, backwards.
// One work-group of LANES work-items a tile.
// Defines: D, P.

TILE_KERNEL void points_unpack(__global const float *points, __global float *rows, const int count) {
    const int tile = get_group_id(0);
    __global const float *from = points + (size_t)tile * D * P;
    for (int lane = get_local_id(0); lane < P; lane += LANES) {
        const int row = tile * P + lane;
        if (row >= count) return;
        __global float *to = rows + (size_t)row * D;
        ONE_BY_ONE for (int dimension = 0; dimension < D; dimension++) to[dimension] = from[dimension * P + lane];
    }
}
