// The nearest centroid of every point: the largest of x . c - |c|^2 / 2, the lowest index winning a tie; with
// DISTANCES the squared distance to it too, summed directly, since the products cancel.
// Points [tile][D][P], panels [panel][1 + D][R] as kmeans_panels makes them, values [k][D]. With GATHER the points are
// brought together first: point i is row indices[first + i] of rows [row][D], and its distance goes to first + i.
//
// With DIRECT, scores that rounding may have put in the wrong order do not decide: the best two are compared by their
// distances, summed directly, and where a third is as close, so are all. A score passes through at most D + 2 roundings
// in its products and twice as many in |c|^2 / 2, so that rounding moves the difference of two by at most
// 2 (D + 2) 2^-24 C (C + |x|), C being the largest |c|.
//
// With COARSE, and where the compiler has the instructions, most panels are ruled out first by the products of 8-bit numbers:
// coarse_search.clh. No bit of the results changes.
//
// One work-group of LANES work-items a tile; a work-item holds U vectors of points against R centroids in registers.
// A score that is NaN never wins: such a point keeps label 0.
// Defines: D, P, U, R, DISTANCES, GATHER, DIRECT, COARSE.

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

// The bound without C (C + |x|); a quarter more, since the lengths are rounded too.
#define ROUNDING (1.25f * (D + 4) * 0x1p-23f)

#if DISTANCES || DIRECT
// Squared distances of the points of a vector to a centroid each.
static inline floatv squares_to(
    __global const float *x, const int vector, __global const float *values, const intv centroid) {
    const intv start = centroid * D;
    floatv sum = 0.0f;
    for (int dimension = 0; dimension < D; dimension++) {
        const intv at = start + dimension;
        const floatv difference = load_floatv(x, dimension * (P / VW) + vector) - PICK(values, at);
        sum = fma(difference, difference, sum);
    }
    return sum;
}
#endif

#if DIRECT
// Whether a comparison, 1 in a scalar and -1 in a vector, holds anywhere.
#if VW == 1
#define ANY(condition) (condition)
#else
#define ANY(condition) any(condition)
#endif

// The nearest of all centroids by their distances, the lowest index winning a tie; `label` where none has a finite one.
static inline intv nearest_of_all(
    __global const float *x, const int vector, __global const float *panels, const int panel_count, intv label) {
    floatv least = INFINITY;
    for (int panel = 0; panel < panel_count; panel++) {
        __global const float *w = panels + (size_t)panel * (1 + D) * R;
        floatv square[R];
        UNROLL for (int r = 0; r < R; r++) square[r] = w[r] > -INFINITY ? 0.0f : INFINITY;
        for (int dimension = 0; dimension < D; dimension++) {
            w += R;
            const floatv value = load_floatv(x, dimension * (P / VW) + vector);
            UNROLL for (int r = 0; r < R; r++) {
                const floatv difference = value - w[r];
                square[r] = fma(difference, difference, square[r]);
            }
        }
        UNROLL for (int r = 0; r < R; r++) {
            const intv nearer = square[r] < least;
            least = choose(nearer, square[r], least);
            label = choose_int(nearer, (intv)(panel * R + r), label);
        }
    }
    return label;
}
#endif

#if COARSE && VW == 16 && defined(__AVX512BW__)
#if __has_builtin(__builtin_ia32_pmaddubsw512) && __has_builtin(__builtin_ia32_pmaddwd512)
#define SEARCHES_COARSELY 1
#endif
#elif COARSE && VW == 8 && defined(__AVX2__)
#if __has_builtin(__builtin_ia32_pmaddubsw256) && __has_builtin(__builtin_ia32_pmaddwd256)
#define SEARCHES_COARSELY 1
#endif
#endif
#ifdef SEARCHES_COARSELY
#include "coarse_panels.clh"
#include "coarse_candidates.clh"
#include "coarse_search.clh"
#endif

TILE_KERNEL void kmeans_assign(
    __global float *points, __global const float *panels, __global const float *values, __global int *labels,
    __global float *distances, const int count, const int panel_count
#if GATHER
    , __global const float *rows, __global const int *indices, const int first_index
#endif
#if COARSE
    , __global const int *coarse, __global const float *bounds
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
#if DIRECT
    floatv second[U], third[U];
    intv other[U];
    UNROLL for (int u = 0; u < U; u++) {
        second[u] = third[u] = -INFINITY;
        other[u] = 0;
    }
    float half_square = 0.0f;
#endif
    int panel = 0;
#ifdef SEARCHES_COARSELY
    nearest_t nearest;
    if (search_coarsely(x, lane, panels, panel_count, coarse, bounds, &nearest)) {
        panel = panel_count;
        UNROLL for (int u = 0; u < U; u++) {
            best[u] = nearest.best[u].vector;
            label[u] = nearest.label[u].vector;
#if DIRECT
            second[u] = nearest.second[u].vector;
            third[u] = nearest.third[u].vector;
            other[u] = nearest.other[u].vector;
#endif
        }
#if DIRECT
        half_square = nearest.half_square;
#endif
    }
#endif
    for (; panel < panel_count; panel++) {
        __global const float *w = panels + (size_t)panel * (1 + D) * R;
        floatv score[U][R];
        UNROLL for (int r = 0; r < R; r++) {
            UNROLL for (int u = 0; u < U; u++) score[u][r] = w[r];
        }
#if DIRECT
        // Minus infinity marks a missing centroid, or one whose square overflows; neither is ever chosen.
        UNROLL for (int r = 0; r < R; r++) half_square = fmax(half_square, w[r] > -INFINITY ? -w[r] : 0.0f);
#endif
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
#if DIRECT
                const intv good = score[u][r] > second[u];
                const floatv rest = choose(score[u][r] > third[u], score[u][r], third[u]);
                third[u] = choose(good, second[u], rest);
                second[u] = choose(better, best[u], choose(good, score[u][r], second[u]));
                other[u] = choose_int(better, label[u], choose_int(good, (intv)(panel * R + r), other[u]));
#endif
                best[u] = choose(better, score[u][r], best[u]);
                label[u] = choose_int(better, (intv)(panel * R + r), label[u]);
            }
        }
    }
#if DIRECT
    const float size = sqrt(2.0f * half_square);
    UNROLL for (int u = 0; u < U; u++) {
        const int vector = u * LANES + lane;
        floatv square = 0.0f;
        for (int dimension = 0; dimension < D; dimension++) {
            const floatv value = load_floatv(x, dimension * (P / VW) + vector);
            square = fma(value, value, square);
        }
        const floatv bound = ROUNDING * size * (size + sqrt(square));
        // The difference of infinities is no number and not at most anything.
        const intv close = best[u] - second[u] <= bound;
        if (!ANY(close)) continue;
        const intv crowded = best[u] - third[u] <= bound;
        intv all = label[u];
        if (ANY(crowded)) all = nearest_of_all(x, vector, panels, panel_count, label[u]);
        const floatv mine = squares_to(x, vector, values, label[u]);
        const floatv its = squares_to(x, vector, values, other[u]);
        const intv nearer = (its < mine) | ((its == mine) & (other[u] < label[u]));
        const intv pair = choose_int(nearer & close, other[u], label[u]);
        label[u] = choose_int(crowded, all, pair);
    }
#endif
    UNROLL for (int u = 0; u < U; u++) {
        const int first = tile * P + (u * LANES + lane) * VW;
        labels_t out;
        out.vector = label[u];
        for (int l = 0; l < VW && first + l < count; l++) labels[first + l] = out.lane[l];
#if DISTANCES
        distances_t squares;
        squares.vector = squares_to(x, u * LANES + lane, values, label[u]);
        for (int l = 0; l < VW && first + l < count; l++) distances[first + l] = squares.lane[l];
#endif
    }
}
