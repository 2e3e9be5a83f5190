// points[i] = W (rows[i] - mean): rows [row][D] (8-bit with BYTES, else float32), W as panels [panel][1 + D][R] whose
// first row is -W mean, points [tile][C][P].
//
// One work-group of LANES work-items a tile. CHUNK columns at a time are brought into local memory, transposed; sums
// wait for the next chunk in `points` itself. Sums of BYTES start at -W mean, so that a zero, as most of an image may
// be, adds nothing: a processor passes over columns that are zero in all rows that a work-item has. The mean of floats,
// which may be as large as they are, is subtracted first.
// Defines: D, C, P, U (vectors a work-item), R, CHUNK, BYTES.

#if BYTES
typedef uchar value_t;
#define VALUE(value, column) convert_float(value)
#define START(value) (value)
#else
typedef float value_t;
#define VALUE(value, column) ((value) - mean[column])
#define START(value) 0.0f
#endif

// On a GPU neighbouring work-items write neighbouring columns: one more float a column keeps them in different banks.
#define PITCH (P + (VW == 1))

#if BYTES && VW > 1 && D % 4 == 0
#ifndef __ENDIAN_LITTLE__
#error a word of four bytes is taken apart from its lowest byte on
#endif
#define PASSES_OVER_ZEROS 1
#define COLUMN(slot) (whole ? used[lane * CHUNK + (slot)] : (slot))

// Brings the columns of rows from + l * D that are not zero in all of this work-item's rows into slots of `x`, four at
// a time, with their numbers in `used`; returns how many. `columns` is a multiple of four.
static inline int bring_used(
    __global const uchar *from, __local float *x, __local int *used, const int lane, const int columns) {
    int slots = 0;
    for (int column = 0; column < columns; column += 4) {
        uintv words[U];
        uintv all = 0;
        UNROLL for (int u = 0; u < U; u++) {
            uint lanes[VW];
            UNROLL for (int l = 0; l < VW; l++) {
                lanes[l] = *(__global const uint *)(from + ((u * LANES + lane) * VW + l) * D + column);
            }
            words[u] = load_private_uintv(lanes);
            all |= words[u];
        }
        if (!any(all != 0)) continue;
        UNROLL for (int byte = 0; byte < 4; byte++) {
            UNROLL for (int u = 0; u < U; u++) {
                *(__local floatv *)(x + slots * PITCH + (u * LANES + lane) * VW) =
                    convert_floatv(words[u] >> 8 * byte & 0xff);
            }
            used[slots] = column + byte;
            slots += any((all >> 8 * byte & 0xff) != 0);
        }
    }
    return slots;
}
#else
#define PASSES_OVER_ZEROS 0
#define COLUMN(slot) (slot)
#endif

TILE_KERNEL void pca_project(
    __global const value_t *rows, __global const float *mean, __global const float *panels, __global float *points,
    const int first_tile, const int count) {
    __local float x[CHUNK * PITCH] __attribute__((aligned(64)));
#if PASSES_OVER_ZEROS
    __local int used[LANES * CHUNK];
#endif
    const int tile = get_group_id(0);
    const int lane = get_local_id(0);
    __global float *out = points + (size_t)(first_tile + tile) * C * P;

    for (int first = 0; first < D; first += CHUNK) {
        const int columns = min(CHUNK, D - first);
        int slots = columns;
        barrier(CLK_LOCAL_MEM_FENCE);
#if PASSES_OVER_ZEROS
        const bool whole = (tile + 1) * P <= count;
        if (whole) slots = bring_used(rows + (size_t)tile * P * D + first, x, used + lane * CHUNK, lane, columns);
#else
        const bool whole = false;
#endif
        const int by_rows = whole ? 0 : P;
        for (int p = 0; p < by_rows; p++) {
            const int row = tile * P + p;
            __global const value_t *from = rows + (size_t)row * D + first;
            for (int column = lane; column < columns; column += LANES) {
                x[column * PITCH + p] = row < count ? VALUE(from[column], first + column) : 0.0f;
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
            UNROLL for (int r = 0; r < R; r++) {
                UNROLL for (int u = 0; u < U; u++) {
                    sum[u][r] = START(start[r]);
                    if (first && panel * R + r < C) {
                        sum[u][r] = load_floatv(out, (panel * R + r) * (P / VW) + u * LANES + lane);
                    }
                }
            }
            for (int slot = 0; slot < slots; slot++) {
                const int column = COLUMN(slot);
                floatv value[U];
                UNROLL for (int u = 0; u < U; u++) {
                    value[u] = *(__local const floatv *)(x + slot * PITCH + (u * LANES + lane) * VW);
                }
                UNROLL for (int r = 0; r < R; r++) {
                    UNROLL for (int u = 0; u < U; u++) sum[u][r] = fma(w[column * R + r], value[u], sum[u][r]);
                }
            }
            UNROLL for (int r = 0; r < R; r++) {
                UNROLL for (int u = 0; u < U; u++) {
                    if (panel * R + r < C) {
                        store_floatv(out, (panel * R + r) * (P / VW) + u * LANES + lane, sum[u][r]);
                    }
                }
            }
        }
    }
#if BYTES
    // The lanes beyond the last row have the start of their sums.
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int p = count - tile * P + lane; p < P; p += LANES) {
        for (int component = 0; component < C; component++) out[component * P + p] = 0.0f;
    }
#endif
}
