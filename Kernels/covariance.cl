// Sums of products of columns: tiles[part][pair][i][j] = sum over the part's rows of x[a * WIDTH + i] x[b * WIDTH + j],
// a <= b being the pair's blocks of columns; sums[part][column] = sum of x.
//
// One work-group a (part, pair). BYTES: x is 8-bit, float32 sums run over at most CHUNK <= 256 rows, where they are
// exact, and are flushed into integers. Otherwise x is float32 less `shift`, and sums of CHUNK rows are added up.
// Two forms: on a CPU one work-item packs both blocks as panels and sums 14 rows x VW columns in registers; on a GPU
// 256 work-items share the blocks and sum 7 x 7 each.
// Defines: WIDTH (112), CHUNK, PART (rows a part), BYTES, D (columns).

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

#if VW > 1

#define ROWS 14
#if BYTES
#define FLUSH(value) convert_intv(value)
typedef intv sumv;
#else
#define FLUSH(value) (value)
typedef floatv sumv;
#endif
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

__kernel void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count) {
    // a: [WIDTH / ROWS][CHUNK][ROWS], b: [WIDTH / VW][CHUNK][VW]
    __local float a[CHUNK * WIDTH] __attribute__((aligned(64)));
    __local float b[CHUNK * WIDTH] __attribute__((aligned(64)));
    const int part = get_group_id(0) / PAIRS;
    int block_a = 0;
    int block_b = get_group_id(0) - part * PAIRS;
    for (int row = BLOCKS; block_b >= row; row--) {
        block_b -= row;
        block_a++;
    }
    block_b += block_a;
    const int width_a = min(WIDTH, D - block_a * WIDTH);
    const int width_b = min(WIDTH, D - block_b * WIDTH);
    __global sum_t *tile = tiles + (size_t)get_group_id(0) * WIDTH * WIDTH;
    const int end = min(count, (part + 1) * PART);

    for (int first = part * PART; first < end; first += CHUNK) {
        const int valid = min(CHUNK, end - first);
        for (int row = 0; row < valid; row++) {
            for (int column = 0; column < WIDTH; column++) {
                const int to = (column / VW * CHUNK + row) * VW + column % VW;
                b[to] = column < width_b ? VALUE(first + row, block_b * WIDTH + column) : 0.0f;
            }
            for (int panel = 0; panel < WIDTH / ROWS; panel++) {
                for (int i = 0; i < ROWS; i++) {
                    const int column = panel * ROWS + i;
                    a[(panel * CHUNK + row) * ROWS + i] =
                        column < width_a ? VALUE(first + row, block_a * WIDTH + column) : 0.0f;
                }
            }
        }
        for (int panel = 0; panel < WIDTH / ROWS; panel++) {
            for (int vector = 0; vector < WIDTH / VW; vector++) {
                __local const float *left = a + panel * CHUNK * ROWS;
                __local const floatv *right = (__local const floatv *)b + vector * CHUNK;
#define START(i) floatv sum##i = 0.0f;
                EACH_ROW(START)
                for (int row = 0; row < valid; row++) {
                    const floatv value = right[row];
#define ADD(i) sum##i = fma(left[row * ROWS + i], value, sum##i);
                    EACH_ROW(ADD)
                }
                __global sumv *out = (__global sumv *)(tile + panel * ROWS * WIDTH) + vector;
                if (first == part * PART) {
#define STORE(i) out[i * WIDTH / VW] = FLUSH(sum##i);
                    EACH_ROW(STORE)
                } else {
#define STORE_MORE(i) out[i * WIDTH / VW] += FLUSH(sum##i);
                    EACH_ROW(STORE_MORE)
                }
            }
        }
        if (block_a == block_b) {
            for (int column = 0; column < width_b; column++) {
                float sum = 0.0f;
                for (int row = 0; row < valid; row++) sum += b[(column / VW * CHUNK + row) * VW + column % VW];
                __global sum_t *out = sums + part * D + block_b * WIDTH + column;
                *out = (first == part * PART ? 0 : *out) + (sum_t)sum;
            }
        }
    }
}

#else

#define SIDE 16
#define EACH (WIDTH / SIDE)
#define STEP 16

__kernel __attribute__((reqd_work_group_size(SIDE * SIDE, 1, 1))) void covariance(
    __global const value_t *rows, __global const float *shift, __global sum_t *tiles, __global sum_t *sums,
    const int count) {
    __local float a[STEP * WIDTH] __attribute__((aligned(64)));
    __local float b[STEP * WIDTH] __attribute__((aligned(64)));
    const int part = get_group_id(0) / PAIRS;
    int block_a = 0;
    int block_b = get_group_id(0) - part * PAIRS;
    for (int row = BLOCKS; block_b >= row; row--) {
        block_b -= row;
        block_a++;
    }
    block_b += block_a;
    const int width_a = min(WIDTH, D - block_a * WIDTH);
    const int width_b = min(WIDTH, D - block_b * WIDTH);
    const int lane = get_local_id(0);
    const int y = lane / SIDE;
    const int x = lane - y * SIDE;
    __global sum_t *tile = tiles + (size_t)get_group_id(0) * WIDTH * WIDTH;
    const int end = min(count, (part + 1) * PART);
    const bool sums_columns = block_a == block_b && lane < width_b;

    for (int first = part * PART; first < end; first += CHUNK) {
        const int chunk_end = min(end, first + CHUNK);
        float product[EACH][EACH];
        float column_sum = 0.0f;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
#pragma unroll
            for (int j = 0; j < EACH; j++) product[i][j] = 0.0f;
        }
        for (int step = first; step < chunk_end; step += STEP) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int element = lane; element < STEP * WIDTH; element += SIDE * SIDE) {
                const int row = element / WIDTH;
                const int column = element - row * WIDTH;
                const bool valid = step + row < chunk_end;
                a[element] = valid && column < width_a ? VALUE(step + row, block_a * WIDTH + column) : 0.0f;
                b[element] = valid && column < width_b ? VALUE(step + row, block_b * WIDTH + column) : 0.0f;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int row = 0; row < STEP; row++) {
                float right[EACH];
#pragma unroll
                for (int j = 0; j < EACH; j++) right[j] = b[row * WIDTH + j * SIDE + x];
#pragma unroll
                for (int i = 0; i < EACH; i++) {
                    const float left = a[row * WIDTH + i * SIDE + y];
#pragma unroll
                    for (int j = 0; j < EACH; j++) product[i][j] = fma(left, right[j], product[i][j]);
                }
                if (sums_columns) column_sum += b[row * WIDTH + lane];
            }
        }
        const bool is_first = first == part * PART;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
#pragma unroll
            for (int j = 0; j < EACH; j++) {
                __global sum_t *out = tile + (i * SIDE + y) * WIDTH + j * SIDE + x;
                *out = (is_first ? 0 : *out) + (sum_t)product[i][j];
            }
        }
        if (sums_columns) {
            __global sum_t *out = sums + part * D + block_b * WIDTH + lane;
            *out = (is_first ? 0 : *out) + (sum_t)column_sum;
        }
    }
}

#endif
