// Rows [row][D] (8-bit with BYTES, else float32) into points [tile][D][P]; lanes beyond the last row become zero.
// One work-group of LANES work-items a tile.
// Defines: D, P, BYTES.

#if BYTES
typedef uchar value_t;
#else
typedef float value_t;
#endif

TILE_KERNEL void points_pack(
    __global const value_t *rows, __global float *points, const int first_tile, const int count) {
    const int tile = get_group_id(0);
    __global float *out = points + (size_t)(first_tile + tile) * D * P;
    for (int lane = get_local_id(0); lane < P; lane += LANES) {
        const int row = tile * P + lane;
        __global const value_t *from = rows + (size_t)row * D;
        for (int column = 0; column < D; column++) {
            out[column * P + lane] = row < count ? (float)from[column] : 0.0f;
        }
    }
}
