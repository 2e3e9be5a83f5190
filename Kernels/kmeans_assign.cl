// The nearest centroid of every point: the largest of x . c - |c|^2 / 2, the lowest index winning a tie; with
// DISTANCES the squared distance to it too, summed directly, since the products cancel.
// Points [tile][D][P], panels [panel][1 + D][R] as kmeans_panels makes them, values [k][D].
//
// One work-group of LANES work-items a tile; a work-item holds U vectors of points against R centroids in registers.
// A score that is NaN never wins: such a point keeps label 0.
// Defines: D, P, U, R, DISTANCES.

#if VW == 1
#define GATHER(values, at) (values)[at]
#else
#define GATHER4(values, at) (float4)((values)[(at).s0], (values)[(at).s1], (values)[(at).s2], (values)[(at).s3])
#if VW == 4
#define GATHER(values, at) GATHER4(values, at)
#elif VW == 8
#define GATHER(values, at) (float8)(GATHER4(values, (at).lo), GATHER4(values, (at).hi))
#else
#define GATHER(values, at) \
    (float16)(GATHER4(values, (at).lo.lo), GATHER4(values, (at).lo.hi), GATHER4(values, (at).hi.lo), \
              GATHER4(values, (at).hi.hi))
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

__kernel void kmeans_assign(
    __global const float *points, __global const float *panels, __global const float *values, __global int *labels,
    __global float *distances, const int count, const int panel_count) {
    const int tile = get_group_id(0);
    const int lane = get_local_id(0);
    __global const float *x = points + (size_t)tile * D * P;
    floatv best[U];
    intv label[U];
#pragma unroll
    for (int u = 0; u < U; u++) {
        best[u] = -INFINITY;
        label[u] = 0;
    }
    for (int panel = 0; panel < panel_count; panel++) {
        __global const float *w = panels + (size_t)panel * (1 + D) * R;
        floatv score[U][R];
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
            for (int u = 0; u < U; u++) score[u][r] = w[r];
        }
        for (int dimension = 0; dimension < D; dimension++) {
            w += R;
            floatv value[U];
#pragma unroll
            for (int u = 0; u < U; u++) value[u] = load_floatv(x, dimension * (P / VW) + u * LANES + lane);
#pragma unroll
            for (int r = 0; r < R; r++) {
#pragma unroll
                for (int u = 0; u < U; u++) score[u][r] = fma(w[r], value[u], score[u][r]);
            }
        }
#pragma unroll
        for (int r = 0; r < R; r++) {
#pragma unroll
            for (int u = 0; u < U; u++) {
                const intv better = score[u][r] > best[u];
                best[u] = choose(better, score[u][r], best[u]);
                label[u] = choose_int(better, (intv)(panel * R + r), label[u]);
            }
        }
    }
#pragma unroll
    for (int u = 0; u < U; u++) {
        const int first = tile * P + (u * LANES + lane) * VW;
        labels_t out;
        out.vector = label[u];
        for (int l = 0; l < VW && first + l < count; l++) labels[first + l] = out.lane[l];
#if DISTANCES
        const intv start = label[u] * D;
        floatv sum = 0.0f;
        for (int dimension = 0; dimension < D; dimension++) {
            const intv at = start + dimension;
            const floatv difference = load_floatv(x, dimension * (P / VW) + u * LANES + lane) - GATHER(values, at);
            sum = fma(difference, difference, sum);
        }
        distances_t squares;
        squares.vector = sum;
        for (int l = 0; l < VW && first + l < count; l++) distances[first + l] = squares.lane[l];
#endif
    }
}
