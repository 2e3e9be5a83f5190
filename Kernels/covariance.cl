// Sums of products of columns: tiles[part][pair][i][j] = sum over the part's rows of x[a * WIDTH + i] x[b * WIDTH + j],
// a <= b being the pair's blocks of columns; sums[part][column] = sum of x. With `fresh` they replace what was there,
// else they are added to it.
//
// One work-group a (part, pair). BYTES: x is 8-bit, float32 sums run over at most CHUNK <= 256 rows, where they are
// exact, and are flushed into integers. Otherwise x is float32 less `shift`, and sums of CHUNK rows are added up.
// Two forms: on a CPU one work-item packs both blocks and sums 2 columns x 7 vectors of columns in registers; on a GPU
// 256 work-items share the blocks and sum 7 x 7 each. An x86 CPU takes bytes PAIRED, two rows at once as 16-bit whole
// numbers, of which one instruction multiplies and adds twice as many; whole numbers have the same sums either way.
// Defines: WIDTH (112), CHUNK (even), PART (rows a part), BYTES, D (columns).

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

// The blocks of columns of pair number `pair`.
static inline int2 pair_blocks(const int pair) {
    int2 blocks = (int2)(0, pair);
    for (int row = BLOCKS; blocks.y >= row; row--) blocks += (int2)(1, -row);
    return blocks + (int2)(0, blocks.x);
}

// What is in `out`, replaced by `value` or with it added.
#define PUT(out, value) ((out) = (replaces ? 0 : (out)) + (value))

#if VW > 1

#define ROWS 2
#define VECTORS 7

#ifndef __has_builtin
#define __has_builtin(name) 0
#endif
#if BYTES && VW == 16 && defined(__AVX512BW__) && __has_builtin(__builtin_ia32_pmaddwd512)
#define PAIRED 1
#define MULTIPLY_PAIRS __builtin_ia32_pmaddwd512
#elif BYTES && VW == 8 && defined(__AVX2__) && __has_builtin(__builtin_ia32_pmaddwd256)
#define PAIRED 1
#define MULTIPLY_PAIRS __builtin_ia32_pmaddwd256
#else
#define PAIRED 0
#endif

#if PAIRED
typedef int packed_t;
typedef intv packedv;
typedef intv sumv;
#define FLUSH
#define PACKED(row, column, end) \
    (rows[(size_t)(row) * D + (column)] | ((row) + 1 < (end) ? rows[(size_t)((row) + 1) * D + (column)] : 0) << 16)
#define COLUMNS_OF(value) (((value) & 0xffff) + ((value) >> 16))
typedef union {
    intv lanes;
    int wholes __attribute__((vector_size(4 * VW)));
    short halves __attribute__((vector_size(4 * VW)));
} pairs_t;

static inline intv add_products(const int left, const intv right, const intv sum) {
    pairs_t a, b, product;
    a.lanes = left;
    b.lanes = right;
    product.wholes = MULTIPLY_PAIRS(a.halves, b.halves);
    return sum + product.lanes;
}
#else
typedef float packed_t;
typedef floatv packedv;
#if BYTES
typedef intv sumv;
#define FLUSH convert_intv
#else
typedef floatv sumv;
#define FLUSH
#endif
#define PACKED(row, column, end) VALUE(row, column)
#define COLUMNS_OF(value) (value)
#define add_products(left, right, sum) fma(left, right, sum)
#endif

// Columns of a block in rows first..<end, [step][WIDTH] with a row or a pair of rows a step; zero beyond the last column.
static inline void pack_block(
    __global const value_t *restrict rows, __global const float *restrict shift, __local packed_t *restrict packed,
    const int block, const int first, const int end) {
    const int width = min(WIDTH, D - block * WIDTH);
    for (int row = first; row < end; row += 1 + PAIRED) {
        for (int column = 0; column < width; column++) packed[column] = PACKED(row, block * WIDTH + column, end);
        for (int column = width; column < WIDTH; column++) packed[column] = 0;
        packed += WIDTH;
    }
}

__kernel void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count, const int fresh) {
    __local packed_t a[CHUNK / (1 + PAIRED) * WIDTH] __attribute__((aligned(64)));
    __local packed_t b[CHUNK / (1 + PAIRED) * WIDTH] __attribute__((aligned(64)));
    const int part = get_group_id(0) / PAIRS;
    const int2 blocks = pair_blocks(get_group_id(0) - part * PAIRS);
    __local const packed_t *left = blocks.x == blocks.y ? b : a;
    const int end = min(count, (part + 1) * PART);
    for (int first = part * PART; first < end; first += CHUNK) {
        const int chunk_end = min(first + CHUNK, end);
        const int steps = COUNT_CEIL(chunk_end - first, 1 + PAIRED);
        const bool replaces = fresh && first == part * PART;
        pack_block(rows, shift, b, blocks.y, first, chunk_end);
        if (left == a) pack_block(rows, shift, a, blocks.x, first, chunk_end);
        for (int row = 0; row < WIDTH; row += ROWS) {
            for (int column = 0; column < WIDTH; column += VECTORS * VW) {
                packedv sum[ROWS][VECTORS];
                UNROLL for (int i = 0; i < ROWS; i++) {
                    UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] = 0;
                }
                for (int step = 0; step < steps; step++) {
                    UNROLL for (int v = 0; v < VECTORS; v++) {
                        const packedv right = ((__local const packedv *)(b + step * WIDTH + column))[v];
                        UNROLL for (int i = 0; i < ROWS; i++) {
                            sum[i][v] = add_products(left[step * WIDTH + row + i], right, sum[i][v]);
                        }
                    }
                }
                UNROLL for (int i = 0; i < ROWS; i++) {
                    __global sumv *out =
                        (__global sumv *)(tiles + ((size_t)get_group_id(0) * WIDTH + row + i) * WIDTH + column);
                    UNROLL for (int v = 0; v < VECTORS; v++) PUT(out[v], FLUSH(sum[i][v]));
                }
            }
        }
        if (left == a) continue;
        for (int column = 0; column < WIDTH && blocks.y * WIDTH + column < D; column++) {
            packed_t sum = 0;
            for (int step = 0; step < steps; step++) sum += COLUMNS_OF(b[step * WIDTH + column]);
            PUT(sums[part * D + blocks.y * WIDTH + column], (sum_t)sum);
        }
    }
}

#else

#define SIDE 16
#define EACH (WIDTH / SIDE)
#define STEP 16

__kernel __attribute__((reqd_work_group_size(SIDE * SIDE, 1, 1))) void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count, const int fresh) {
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
        const bool replaces = fresh && first == part * PART;
        UNROLL for (int i = 0; i < EACH; i++) {
            UNROLL for (int j = 0; j < EACH; j++) {
                PUT(tile[(i * SIDE + y) * WIDTH + j * SIDE + x], (sum_t)product[i][j]);
            }
        }
        if (sums_columns) PUT(sums[part * D + blocks.y * WIDTH + lane], (sum_t)column_sum);
    }
}

#endif
