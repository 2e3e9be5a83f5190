// The nearest centroid of every point: the largest of x . c - |c|^2 / 2, the lowest index winning a tie; with
// DISTANCES the squared distance to it too, summed directly, since the products cancel.
// Points [tile][D][P], panels [panel][1 + D][R] as kmeans_panels makes them, values [k][D]. With GATHER the points are
// brought together first: point i is row indices[first + i] of rows [row][D], and its distance goes to first + i.
//
// One work-group of LANES work-items a tile; a work-item holds U vectors of points against R centroids in registers.
// A score that is NaN never wins: such a point keeps label 0.
// Defines: D, P, U, R, DISTANCES, GATHER.

#if VW == 1
#define PICK(values, at) (values)[at]
#else
#define PICK4(values, at) (float4)((values)[(at).s0], (values)[(at).s1], (values)[(at).s2], (values)[(at).s3])
#if VW == 4
#define PICK(values, at) PICK4(values, at)
#elif VW == 8
#define PICK(values, at) (float8)(PICK4(values, (at).lo), PICK4(values, (at).hi))
#else
#define PICK(values, at) \
    (float16)(PICK4(values, (at).lo.lo), PICK4(values, (at).lo.hi), PICK4(values, (at).hi.lo), \
              PICK4(values, (at).hi.hi))
#endif
#endif

typedef union {
    intv vector;
    int lane[VW];
} labels_t;

typedef union {
    floatv vector;
    float lane[VW];
} distances_t;

TILE_KERNEL void kmeans_assign(
    __global float *points, __global const float *panels, __global const float *values, __global int *labels,
    __global float *distances, const int count, const int panel_count
#if GATHER
    , __global const float *rows, __global const int *indices, const int first_index
#endif
) {
    const int tile = get_group_id(0);
    const int lane = get_local_id(0);
    __global float *x = points + (size_t)tile * D * P;
#if GATHER
    indices += first_index;
    distances += first_index;
    // Each work-item the points that it reads below: nobody waits for anybody.
    for (int l = 0; l < U * VW; l++) {
        const int slot = (l / VW * LANES + lane) * VW + l % VW;
        const int point = tile * P + slot;
        __global const float *from = rows + (size_t)indices[min(point, count - 1)] * D;
        ONE_BY_ONE for (int dimension = 0; dimension < D; dimension++) {
            x[dimension * P + slot] = point < count ? from[dimension] : 0.0f;
        }
    }
#endif
    floatv best[U];
    intv label[U];
    UNROLL for (int u = 0; u < U; u++) {
        best[u] = -INFINITY;
        label[u] = 0;
    }
    for (int panel = 0; panel < panel_count; panel++) {
        __global const float *w = panels + (size_t)panel * (1 + D) * R;
        floatv score[U][R];
        UNROLL for (int r = 0; r < R; r++) {
            UNROLL for (int u = 0; u < U; u++) score[u][r] = w[r];
        }
        for (int dimension = 0; dimension < D; dimension++) {
            w += R;
            floatv value[U];
            UNROLL for (int u = 0; u < U; u++) value[u] = load_floatv(x, dimension * (P / VW) + u * LANES + lane);
            UNROLL for (int r = 0; r < R; r++) {
                UNROLL for (int u = 0; u < U; u++) score[u][r] = fma(w[r], value[u], score[u][r]);
            }
        }
        UNROLL for (int r = 0; r < R; r++) {
            UNROLL for (int u = 0; u < U; u++) {
                const intv better = score[u][r] > best[u];
                best[u] = choose(better, score[u][r], best[u]);
                label[u] = choose_int(better, (intv)(panel * R + r), label[u]);
            }
        }
    }
    UNROLL for (int u = 0; u < U; u++) {
        const int first = tile * P + (u * LANES + lane) * VW;
        labels_t out;
        out.vector = label[u];
        for (int l = 0; l < VW && first + l < count; l++) labels[first + l] = out.lane[l];
#if DISTANCES
        const intv start = label[u] * D;
        floatv sum = 0.0f;
        for (int dimension = 0; dimension < D; dimension++) {
            const intv at = start + dimension;
            const floatv difference = load_floatv(x, dimension * (P / VW) + u * LANES + lane) - PICK(values, at);
            sum = fma(difference, difference, sum);
        }
        distances_t squares;
        squares.vector = sum;
        for (int l = 0; l < VW && first + l < count; l++) distances[first + l] = squares.lane[l];
#endif
    }
}
