// Sums of products of columns: tiles[part][pair][i][j] = sum over the part's rows of x[a * WIDTH + i] x[b * WIDTH + j],
// a <= b being the pair's blocks of columns; sums[part][column] = sum of x. With `overwrite` they replace what was there,
// else they are added to it.
//
// BYTES: x is 8-bit, float32 sums run over at most CHUNK <= 256 rows, where they are exact, and are flushed into
// integers; a processor passes over what is zero, as most of an image may be. Otherwise x is float32 less `shift`, and
// sums of CHUNK rows are added up. Two forms: on a CPU a work-group is one work-item, takes a (part, a) through every
// b, packs both blocks and sums ROWS columns x VECTORS vectors of columns in registers; on a GPU it is 256 work-items
// for a (part, pair), which share STEP rows of the blocks at a time and sum 7 x 7 each. An x86 CPU takes bytes PAIRED,
// two rows at once as 16-bit whole numbers, of which one instruction multiplies and adds twice as many; whole numbers
// have the same sums either way.
// Defines: WIDTH (112), CHUNK (at most 64 on a CPU), PART (rows a part), BYTES, D (columns); ROWS and VECTORS
// (divisors of WIDTH and of its vectors) on a CPU, STEP on a GPU.

#if BYTES
typedef uchar value_t;
typedef int sum_t;
#define VALUE(row, column) convert_float(rows[(size_t)(row) * D + (column)])
#else
typedef float value_t;
typedef float sum_t;
#define VALUE(row, column) (rows[(size_t)(row) * D + (column)] - shift[column])
#endif

#define BLOCKS COUNT_CEIL(D, WIDTH)
#define PAIRS (BLOCKS * (BLOCKS + 1) / 2)

// What is in `out`, replaced by `value` or with it added.
#define PUT(out, value) ((out) = (replaces ? 0 : (out)) + (value))

#if VW > 1

#include "packed_columns.clh"

__kernel void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count, const int overwrite) {
    // This block, and behind it the one that it is paired with: a pointer that may be to either of two arrays makes
    // Intel's compiler for processors sum up what is in neither.
    __local packed_t left[2 * CHUNK * WIDTH] __attribute__((aligned(64)));
    __local packed_t total[WIDTH] __attribute__((aligned(64)));
    __local int used[2 * WIDTH] __attribute__((aligned(64)));
    const int part = get_group_id(0) / BLOCKS;
    const int block = get_group_id(0) - part * BLOCKS;
    const int end = min(count, (part + 1) * PART);
    for (int first = part * PART; first < end; first += CHUNK * (1 + PAIRED)) {
        const int chunk_end = min(first + CHUNK * (1 + PAIRED), end);
        const bool replaces = overwrite && first == part * PART;
        pack_block(rows, shift, left, block, first, chunk_end);
        survey(left, total, used, COUNT_CEIL(chunk_end - first, 1 + PAIRED));
        for (int column = 0; column < WIDTH && block * WIDTH + column < D; column++) {
            PUT(sums[part * D + block * WIDTH + column], (sum_t)COLUMNS_OF(total[column]));
        }
        const int pair = block * BLOCKS - block * (block - 1) / 2;
        __global sum_t *tile = tiles + ((size_t)part * PAIRS + pair) * WIDTH * WIDTH;
        for (int other = block; other < BLOCKS; other++) {
            const int right = other > block ? CHUNK * WIDTH : 0;
            if (right) pack_block(rows, shift, left + right, other, first, chunk_end);
            for (int row = 0; row < WIDTH; row += ROWS) {
                int early = 0, late = 0;
                UNROLL for (int i = 0; i < ROWS; i++) {
                    early |= used[row + i];
                    late |= used[WIDTH + row + i];
                }
                const ulong any = (ulong)(uint)late << 32 | (uint)early;
                if (any == 0 && !replaces) continue;
                for (int column = 0; column < WIDTH; column += VECTORS * VW) {
                    packedv sum[ROWS][VECTORS];
                    UNROLL for (int i = 0; i < ROWS; i++) {
                        UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] = 0;
                    }
                    for (ulong bits = any; bits != 0; bits &= bits - 1) {
                        const int at = (63 - (int)clz(bits & -bits)) * WIDTH;
                        UNROLL for (int v = 0; v < VECTORS; v++) {
                            const packedv value = ((__local const packedv *)(left + right + at + column))[v];
                            UNROLL for (int i = 0; i < ROWS; i++) {
                                sum[i][v] = add_products(left[at + row + i], value, sum[i][v]);
                            }
                        }
                    }
                    UNROLL for (int i = 0; i < ROWS; i++) {
                        __global sumv *out = (__global sumv *)(tile + (row + i) * WIDTH + column);
                        UNROLL for (int v = 0; v < VECTORS; v++) PUT(out[v], FLUSH(sum[i][v]));
                    }
                }
            }
            tile += WIDTH * WIDTH;
        }
    }
}

#else

// The blocks of columns of pair number `pair`.
static inline int2 pair_blocks(const int pair) {
    int2 blocks = (int2)(0, pair);
    for (int row = BLOCKS; blocks.y >= row; row--) blocks += (int2)(1, -row);
    return blocks + (int2)(0, blocks.x);
}

#define SIDE 16
#define EACH (WIDTH / SIDE)

__kernel __attribute__((reqd_work_group_size(SIDE * SIDE, 1, 1))) void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count, const int overwrite) {
    __local float a[STEP * WIDTH] __attribute__((aligned(64)));
    __local float b[STEP * WIDTH] __attribute__((aligned(64)));
    const int part = get_group_id(0) / PAIRS;
    const int2 blocks = pair_blocks(get_group_id(0) - part * PAIRS);
    const int2 widths = min((int2)WIDTH, D - blocks * WIDTH);
    const int lane = get_local_id(0);
    const int y = lane / SIDE;
    const int x = lane - y * SIDE;
    __global sum_t *tile = tiles + (size_t)get_group_id(0) * WIDTH * WIDTH;
    const int end = min(count, (part + 1) * PART);
    const bool sums_columns = blocks.x == blocks.y && lane < widths.y;
    for (int first = part * PART; first < end; first += CHUNK) {
        const int chunk_end = min(first + CHUNK, end);
        float product[EACH][EACH] = {{0.0f}};
        float column_sum = 0.0f;
        for (int step = first; step < chunk_end; step += STEP) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int element = lane; element < STEP * WIDTH; element += SIDE * SIDE) {
                const int row = element / WIDTH;
                const int column = element - row * WIDTH;
                const bool valid = step + row < chunk_end;
                a[element] = valid && column < widths.x ? VALUE(step + row, blocks.x * WIDTH + column) : 0.0f;
                b[element] = valid && column < widths.y ? VALUE(step + row, blocks.y * WIDTH + column) : 0.0f;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int row = 0; row < STEP; row++) {
                float right[EACH];
                UNROLL for (int j = 0; j < EACH; j++) right[j] = b[row * WIDTH + j * SIDE + x];
                UNROLL for (int i = 0; i < EACH; i++) {
                    const float left = a[row * WIDTH + i * SIDE + y];
                    UNROLL for (int j = 0; j < EACH; j++) product[i][j] = fma(left, right[j], product[i][j]);
                }
                if (sums_columns) column_sum += b[row * WIDTH + lane];
            }
        }
        const bool replaces = overwrite && first == part * PART;
        UNROLL for (int i = 0; i < EACH; i++) {
            UNROLL for (int j = 0; j < EACH; j++) {
                PUT(tile[(i * SIDE + y) * WIDTH + j * SIDE + x], (sum_t)product[i][j]);
            }
        }
        if (sums_columns) PUT(sums[part * D + blocks.y * WIDTH + lane], (sum_t)column_sum);
    }
}

#endif
