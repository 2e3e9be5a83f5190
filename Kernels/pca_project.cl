// points[i] = W (rows[i] - mean): rows [row][D] (8-bit with BYTES, else float32), W as panels [panel][1 + D][R] whose
// first row is where sums start, points [tile][C][P].
//
// One work-group of LANES work-items a tile. CHUNK columns at a time are brought into local memory, transposed; sums
// wait for the next chunk in `points` itself.
// Defines: D, C, P, U (vectors a work-item), R, CHUNK, BYTES.

#if BYTES
typedef uchar value_t;
#else
typedef float value_t;
#endif

// On a GPU neighbouring work-items write neighbouring columns: one more float a column keeps them in different banks.
#define PITCH (P + (VW == 1))

__kernel void pca_project(
    __global const value_t *rows, __global const float *mean, __global const float *panels, __global float *points,
    const int first_tile, const int count) {
    __local float x[CHUNK * PITCH] __attribute__((aligned(64)));
    const int tile = get_group_id(0);
    const int lane = get_local_id(0);
    __global float *out = points + (size_t)(first_tile + tile) * C * P;

    for (int first = 0; first < D; first += CHUNK) {
        const int columns = min(CHUNK, D - first);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int p = 0; p < P; p++) {
            const int row = tile * P + p;
            __global const value_t *from = rows + (size_t)min(row, count - 1) * D + first;
            for (int column = lane; column < columns; column += LANES) {
                x[column * PITCH + p] = row < count ? (float)from[column] - mean[first + column] : 0.0f;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#if VW == 1
// One panel after the other: unrolled, a GPU runs out of scalar registers.
#pragma unroll 1
#endif
        for (int panel = 0; panel < COUNT_CEIL(C, R); panel++) {
            __global const float *start = panels + (size_t)panel * (1 + D) * R;
            __global const float *w = start + (1 + first) * R;
            floatv sum[U][R];
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
                for (int u = 0; u < U; u++) {
                    sum[u][r] = start[r];
                    if (first > 0 && panel * R + r < C) {
                        sum[u][r] = load_floatv(out, (panel * R + r) * (P / VW) + u * LANES + lane);
                    }
                }
            }
            for (int column = 0; column < columns; column++) {
                floatv value[U];
#pragma unroll
                for (int u = 0; u < U; u++) {
                    value[u] = *(__local const floatv *)(x + column * PITCH + (u * LANES + lane) * VW);
                }
#pragma unroll
                for (int r = 0; r < R; r++) {
#pragma unroll
                    for (int u = 0; u < U; u++) sum[u][r] = fma(w[column * R + r], value[u], sum[u][r]);
                }
            }
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
                for (int u = 0; u < U; u++) {
                    if (panel * R + r < C) {
                        store_floatv(out, (panel * R + r) * (P / VW) + u * LANES + lane, sum[u][r]);
                    }
                }
            }
        }
    }
}
