// The loops for one instruction set; lanes.c includes this once for each. It defines before:
//   LEVEL(name)   name with the level's suffix
//   VECTOR        floats a register
//   BLOCK_A, _B   the block of sums that the registers hold: BLOCK_A * BLOCK_B sums, BLOCK_B factors and one more.
// An expression `sum += a * b` is one rounding where the level has a fused multiply-add, two where it has none.

typedef float LEVEL(vector) __attribute__((vector_size(4 * VECTOR), aligned(4)));
typedef int32_t LEVEL(mask) __attribute__((vector_size(4 * VECTOR), aligned(4)));
typedef uint8_t LEVEL(bytes) __attribute__((vector_size(VECTOR), aligned(1)));
#define VEC LEVEL(vector)
#define MASK LEVEL(mask)
#define LOAD(pointer) (*(const VEC *)(pointer))
// `yes` where the mask is set, else `no`.
#define SELECT(type, mask, yes, no) ((type)(((mask) & (MASK)(yes)) | (~(mask) & (MASK)(no))))
#define UNROLL _Pragma("clang loop unroll(full)")

/// `outputs` x `columns` of the products, both constants where it is inlined.
static inline __attribute__((always_inline)) void LEVEL(products_block)(
    const clanes_products_shape *s, const float *x, const float *w, const float *start, float *y, const int outputs,
    const int columns) {
    const ptrdiff_t x_tap = s->x_tap * CLANES_WIDTH, x_column = s->x_column * CLANES_WIDTH;
    const ptrdiff_t w_tap = s->w_tap, w_output = s->w_output;
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        VEC sums[BLOCK_A][BLOCK_B];
        UNROLL for (int o = 0; o < outputs; o++)
            UNROLL for (int c = 0; c < columns; c++) sums[o][c] = (VEC){} + (start ? start[o] : 0);
        for (ptrdiff_t plane = 0; plane < s->planes; plane++)
            for (ptrdiff_t row = 0; row < s->rows; row++) {
                const float *value = x + lane + (plane * s->x_plane + row * s->x_row) * CLANES_WIDTH;
                const float *weight = w + plane * s->w_plane + row * s->w_row;
                for (ptrdiff_t tap = 0; tap < s->taps; tap++) {
                    VEC values[BLOCK_B];
                    UNROLL for (int c = 0; c < columns; c++) values[c] = LOAD(value + c * x_column);
                    UNROLL for (int o = 0; o < outputs; o++) {
                        const VEC factor = (VEC){} + weight[o * w_output];
                        UNROLL for (int c = 0; c < columns; c++) sums[o][c] += values[c] * factor;
                    }
                    value += x_tap;
                    weight += w_tap;
                }
            }
        UNROLL for (int o = 0; o < outputs; o++)
            UNROLL for (int c = 0; c < columns; c++)
                *(VEC *)(y + lane + (o * s->y_output + c * s->y_column) * CLANES_WIDTH) = sums[o][c];
    }
}

/// `taps` x `outputs` of the correlations, both constants where it is inlined.
static inline __attribute__((always_inline)) void LEVEL(correlations_block)(
    const clanes_correlations_shape *s, const float *x, const float *d, float *sums, const int taps,
    const int outputs) {
    const ptrdiff_t d_output = s->d_output * CLANES_WIDTH;
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        VEC block[BLOCK_A][BLOCK_B];
        UNROLL for (int t = 0; t < taps; t++) UNROLL for (int o = 0; o < outputs; o++) block[t][o] = (VEC){};
        for (ptrdiff_t row = 0; row < s->rows; row++) {
            const float *value = x + lane + row * s->x_row * CLANES_WIDTH;
            const float *delta = d + lane + row * s->d_row * CLANES_WIDTH;
            for (ptrdiff_t column = 0; column < s->columns; column++) {
                VEC deltas[BLOCK_B];
                UNROLL for (int o = 0; o < outputs; o++) deltas[o] = LOAD(delta + o * d_output);
                UNROLL for (int t = 0; t < taps; t++) {
                    const VEC factor = LOAD(value + t * CLANES_WIDTH);
                    UNROLL for (int o = 0; o < outputs; o++) block[t][o] += deltas[o] * factor;
                }
                value += CLANES_WIDTH;
                delta += CLANES_WIDTH;
            }
        }
        UNROLL for (int t = 0; t < taps; t++)
            UNROLL for (int o = 0; o < outputs; o++)
                *(VEC *)(sums + lane + (t * s->sums_tap + o) * CLANES_WIDTH) += block[t][o];
    }
}

// Calls BLOCK(a, b) with constants in place of two variables that are at most BLOCK_A and BLOCK_B.
#define WITH_B(a, b)                                                                                                   \
    switch (b) {                                                                                                       \
    case 1: BLOCK(a, 1); break;                                                                                        \
    case 2: BLOCK(a, 2); break;                                                                                        \
    case 3: BLOCK(a, 3); break;                                                                                        \
    default: BLOCK(a, BLOCK_B); break;                                                                                 \
    }
#define WITH_CONSTANTS(a, b)                                                                                           \
    switch (a) {                                                                                                       \
    case 1: WITH_B(1, b) break;                                                                                        \
    case 2: WITH_B(2, b) break;                                                                                        \
    case 3: WITH_B(3, b) break;                                                                                        \
    IF_WIDE(case 4: WITH_B(4, b) break; case 5: WITH_B(5, b) break;)                                                   \
    default: WITH_B(BLOCK_A, b) break;                                                                                 \
    }

static void LEVEL(products)(
    const clanes_products_shape *s, const float *x, const float *w, const float *start, float *y) {
    const ptrdiff_t parts_a = (s->outputs + BLOCK_A - 1) / BLOCK_A, parts_b = (s->columns + BLOCK_B - 1) / BLOCK_B;
    for (ptrdiff_t b = 0; b < parts_b; b++) {
        const ptrdiff_t column = s->columns * b / parts_b, columns = s->columns * (b + 1) / parts_b - column;
        for (ptrdiff_t a = 0; a < parts_a; a++) {
            const ptrdiff_t output = s->outputs * a / parts_a, outputs = s->outputs * (a + 1) / parts_a - output;
            const float *values = x + column * s->x_column * CLANES_WIDTH, *weights = w + output * s->w_output;
            const float *starts = start ? start + output : NULL;
            float *target = y + (output * s->y_output + column * s->y_column) * CLANES_WIDTH;
#define BLOCK(a, b) LEVEL(products_block)(s, values, weights, starts, target, a, b)
            WITH_CONSTANTS(outputs, columns)
#undef BLOCK
        }
    }
}

static void LEVEL(correlations)(const clanes_correlations_shape *s, const float *x, const float *d, float *sums) {
    const ptrdiff_t parts_a = (s->taps + BLOCK_A - 1) / BLOCK_A, parts_b = (s->outputs + BLOCK_B - 1) / BLOCK_B;
    for (ptrdiff_t b = 0; b < parts_b; b++) {
        const ptrdiff_t output = s->outputs * b / parts_b, outputs = s->outputs * (b + 1) / parts_b - output;
        for (ptrdiff_t a = 0; a < parts_a; a++) {
            const ptrdiff_t tap = s->taps * a / parts_a, taps = s->taps * (a + 1) / parts_a - tap;
            const float *values = x + tap * CLANES_WIDTH, *deltas = d + output * s->d_output * CLANES_WIDTH;
            float *target = sums + (tap * s->sums_tap + output) * CLANES_WIDTH;
#define BLOCK(a, b) LEVEL(correlations_block)(s, values, deltas, target, a, b)
            WITH_CONSTANTS(taps, outputs)
#undef BLOCK
        }
    }
}

// The element-wise loops round after every operation, so that all levels agree to the bit.

static void LEVEL(moments)(const float *x, ptrdiff_t count, float *sums, float *squares) {
#pragma STDC FP_CONTRACT OFF
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        const VEC pivot = LOAD(x + lane);
        VEC sum = {}, square = {};
        for (ptrdiff_t i = 0; i < count; i++) {
            const VEC deviation = LOAD(x + i * CLANES_WIDTH + lane) - pivot;
            sum += deviation;
            square += deviation * deviation;
        }
        *(VEC *)(sums + lane) = sum;
        *(VEC *)(squares + lane) = square;
    }
}

static void LEVEL(max_pool)(
    const clanes_plane *s, const float *x, float direction, float *pooled, uint8_t *winners) {
    const ptrdiff_t rows = s->rows / 2, columns = s->columns / 2;
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR)
        for (ptrdiff_t row = 0; row < rows; row++)
            for (ptrdiff_t column = 0; column < columns; column++) {
                const float *corner = x + (2 * row * s->columns + 2 * column) * CLANES_WIDTH + lane;
                VEC best = LOAD(corner);
                MASK winner = {};
                UNROLL for (int place = 1; place < 4; place++) {
                    const VEC value = LOAD(corner + (place / 2 * s->columns + place % 2) * CLANES_WIDTH);
                    const VEC key = value * direction, largest = best * direction;
                    // Not a maximum of floats: the first NaN must win.
                    const MASK wins = ~(key <= largest) & (largest == largest);
                    best = SELECT(VEC, wins, value, best);
                    winner = SELECT(MASK, wins, (MASK){} + place, winner);
                }
                const ptrdiff_t window = (row * columns + column) * CLANES_WIDTH + lane;
                *(VEC *)(pooled + window) = best;
                *(LEVEL(bytes) *)(winners + window) = __builtin_convertvector(winner, LEVEL(bytes));
            }
}

static void LEVEL(normalise_relu)(const float *x, ptrdiff_t count, float scale, float shift, float *y) {
#pragma STDC FP_CONTRACT OFF
    for (ptrdiff_t i = 0; i < count * CLANES_WIDTH; i += VECTOR) {
        const VEC value = LOAD(x + i) * scale + shift;
        // Not a maximum of floats: a NaN must reach the output, not lose against 0.
        *(VEC *)(y + i) = SELECT(VEC, value <= 0, (VEC){}, value);
    }
}

static void LEVEL(relu_backward)(const float *y, ptrdiff_t count, float *gradient) {
    for (ptrdiff_t i = 0; i < count * CLANES_WIDTH; i += VECTOR)
        *(VEC *)(gradient + i) = SELECT(VEC, LOAD(y + i) <= 0, (VEC){}, LOAD(gradient + i));
}

static void LEVEL(pool_sums)(
    const float *pooled, const float *dy, ptrdiff_t count, float mean, float inverse, float *sums, float *products) {
#pragma STDC FP_CONTRACT OFF
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        VEC sum = {}, product = {};
        for (ptrdiff_t i = lane; i < count * CLANES_WIDTH; i += CLANES_WIDTH) {
            const VEC gradient = LOAD(dy + i);
            sum += gradient;
            product += gradient * ((LOAD(pooled + i) - mean) * inverse);
        }
        *(VEC *)(sums + lane) = sum;
        *(VEC *)(products + lane) = product;
    }
}

static void LEVEL(pool_backward)(
    const clanes_plane *s, const clanes_batch_norm_slope *n, const float *dy, const uint8_t *winners, float *x) {
#pragma STDC FP_CONTRACT OFF
    const ptrdiff_t rows = s->rows / 2, columns = s->columns / 2;
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        MASK counted;
        UNROLL for (int i = 0; i < VECTOR; i++) counted[i] = lane + i < n->lanes ? -1 : 0;
        for (ptrdiff_t row = 0; row < s->rows; row++)
            for (ptrdiff_t column = 0; column < s->columns; column++) {
                VEC passed = {};
                if (row / 2 < rows && column / 2 < columns) {
                    const ptrdiff_t window = (row / 2 * columns + column / 2) * CLANES_WIDTH + lane;
                    const MASK places = __builtin_convertvector(*(const LEVEL(bytes) *)(winners + window), MASK);
                    passed = SELECT(VEC, places == (int32_t)(2 * (row % 2) + column % 2), LOAD(dy + window), passed);
                }
                float *value = x + (row * s->columns + column) * CLANES_WIDTH + lane;
                const VEC normalised = (LOAD(value) - n->mean) * n->inverse;
                const VEC gradient = (passed - n->shift - normalised * n->slope) * n->factor;
                *(VEC *)value = SELECT(VEC, counted, gradient, (VEC){});
            }
    }
}

static void LEVEL(keep_largest)(
    const float *scores, ptrdiff_t rows, ptrdiff_t vectors, int32_t first, float *best, int32_t *index) {
    for (ptrdiff_t i = 0; i < vectors * CLANES_WIDTH; i += VECTOR) {
        VEC largest = LOAD(best + i);
        MASK place = *(const MASK *)(index + i);
        for (ptrdiff_t row = 0; row < rows; row++) {
            const VEC score = LOAD(scores + row * vectors * CLANES_WIDTH + i);
            const MASK larger = score > largest;
            largest = SELECT(VEC, larger, score, largest);
            place = SELECT(MASK, larger, (MASK){} + (first + (int32_t)row), place);
        }
        *(VEC *)(best + i) = largest;
        *(MASK *)(index + i) = place;
    }
}

static void LEVEL(keep_three)(
    const float *scores, ptrdiff_t rows, ptrdiff_t vectors, int32_t first, float *best, int32_t *index) {
    const ptrdiff_t columns = vectors * CLANES_WIDTH;
    for (ptrdiff_t i = 0; i < columns; i += VECTOR) {
        VEC largest = LOAD(best + i);
        VEC second = LOAD(best + columns + i);
        VEC third = LOAD(best + 2 * columns + i);
        MASK place = *(const MASK *)(index + i);
        MASK other = *(const MASK *)(index + columns + i);
        for (ptrdiff_t row = 0; row < rows; row++) {
            const VEC score = LOAD(scores + row * columns + i);
            const MASK number = (MASK){} + (first + (int32_t)row);
            const MASK larger = score > largest;
            const MASK good = score > second;
            third = SELECT(VEC, good, second, SELECT(VEC, score > third, score, third));
            second = SELECT(VEC, larger, largest, SELECT(VEC, good, score, second));
            other = SELECT(MASK, larger, place, SELECT(MASK, good, number, other));
            largest = SELECT(VEC, larger, score, largest);
            place = SELECT(MASK, larger, number, place);
        }
        *(VEC *)(best + i) = largest;
        *(VEC *)(best + columns + i) = second;
        *(VEC *)(best + 2 * columns + i) = third;
        *(MASK *)(index + i) = place;
        *(MASK *)(index + columns + i) = other;
    }
}

static ptrdiff_t LEVEL(find_larger)(
    const float *scores, const float *bounds, ptrdiff_t rows, ptrdiff_t vectors, ptrdiff_t from) {
    ptrdiff_t place = from, vector = from % vectors;
    for (; place < rows * vectors; place++) {
        MASK larger = {};
        for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR)
            larger |= LOAD(scores + place * CLANES_WIDTH + lane) > LOAD(bounds + vector * CLANES_WIDTH + lane);
        if (__builtin_reduce_or(larger)) return place;
        if (++vector == vectors) vector = 0;
    }
    return place;
}

// Parameter i, or as many from i on as TYPE has floats. PENALTY is added to a gradient, KEPT is what a parameter is
// multiplied by.
#define ADAM(TYPE, i, PENALTY, KEPT)                                                                                   \
    const TYPE parameter = *(const TYPE *)(parameters + i);                                                            \
    const TYPE gradient = *(const TYPE *)(gradients + i) PENALTY;                                                      \
    const TYPE before = *(const TYPE *)(first + i);                                                                    \
    const TYPE m = before + (gradient - before) * s->one_minus_beta1;                                                  \
    const TYPE v = *(const TYPE *)(second + i) * s->beta2 + gradient * gradient * s->one_minus_beta2;                  \
    *(TYPE *)(first + i) = m;                                                                                          \
    *(TYPE *)(second + i) = v;                                                                                         \
    *(TYPE *)(parameters + i) =                                                                                        \
        parameter KEPT - s->step_size * m / (__builtin_elementwise_sqrt(v) * s->correction + s->epsilon);

#define ADAM_LOOP(NAME, PENALTY, KEPT)                                                                                 \
    static void LEVEL(NAME)(                                                                                           \
        const clanes_adam_step *s, const float *gradients, float *parameters, float *first, float *second) {           \
        _Pragma("STDC FP_CONTRACT OFF") ptrdiff_t i = 0;                                                               \
        for (; i + VECTOR <= s->count; i += VECTOR) { ADAM(VEC, i, PENALTY, KEPT) }                                    \
        for (; i < s->count; i++) { ADAM(float, i, PENALTY, KEPT) }                                                    \
    }

ADAM_LOOP(adam, , )
ADAM_LOOP(adam_penalty, +parameter * s->weight_decay, )
ADAM_LOOP(adam_decoupled, , *s->kept)

#define SGD(TYPE, i)                                                                                                   \
    const TYPE parameter = *(const TYPE *)(parameters + i);                                                            \
    TYPE change = *(const TYPE *)(gradients + i) + parameter * s->weight_decay;                                        \
    if (velocities) {                                                                                                  \
        change += *(const TYPE *)(velocities + i) * s->momentum;                                                       \
        *(TYPE *)(velocities + i) = change;                                                                            \
    }                                                                                                                  \
    *(TYPE *)(parameters + i) = parameter - s->learning_rate * change;

static void LEVEL(sgd)(
    const clanes_sgd_step *s, const float *gradients, float *parameters, float *velocities) {
#pragma STDC FP_CONTRACT OFF
    ptrdiff_t i = 0;
    for (; i + VECTOR <= s->count; i += VECTOR) { SGD(VEC, i) }
    for (; i < s->count; i++) { SGD(float, i) }
}

static void LEVEL(multiply_add_chains)(float *values, ptrdiff_t steps) {
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        VEC chains[CLANES_CHAINS];
        UNROLL for (int c = 0; c < CLANES_CHAINS; c++) chains[c] = LOAD(values + c * CLANES_WIDTH + lane);
        for (ptrdiff_t step = 0; step < steps; step++)
            UNROLL for (int c = 0; c < CLANES_CHAINS; c++) chains[c] = chains[c] * 0.75f + 0.25f;
        UNROLL for (int c = 0; c < CLANES_CHAINS; c++) *(VEC *)(values + c * CLANES_WIDTH + lane) = chains[c];
    }
}

#include "layers.h"

static const clanes_loops LEVEL(loops) = {
    LEVEL_NAME, LEVEL(products), LEVEL(correlations), LEVEL(moments), LEVEL(max_pool), LEVEL(normalise_relu),
    LEVEL(relu_backward), LEVEL(pool_sums), LEVEL(pool_backward),
    LEVEL(tanh_forward), LEVEL(tanh_backward), LEVEL(pool_mean), LEVEL(pool_mean_backward), LEVEL(pool_largest),
    LEVEL(pool_largest_backward), LEVEL(deviations), LEVEL(normalise), LEVEL(normalise_backward), LEVEL(squared_error),
    LEVEL(keep_largest),
    LEVEL(keep_three), LEVEL(find_larger), LEVEL(adam),
    LEVEL(adam_penalty), LEVEL(adam_decoupled), LEVEL(sgd),
    LEVEL(multiply_add_chains),
};

#undef VEC
#undef MASK
#undef SELECT
#undef LOAD
#undef UNROLL
#undef WITH_B
#undef WITH_CONSTANTS
#undef LEVEL
#undef LEVEL_NAME
#undef VECTOR
#undef BLOCK_A
#undef BLOCK_B
#undef IF_WIDE
#undef ADAM
#undef ADAM_LOOP
#undef SGD
