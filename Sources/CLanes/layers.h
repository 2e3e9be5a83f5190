// The loops of layers without weights and of batch norm for one instruction set; loops.h includes this. They round after
// every operation, so that all levels agree to the bit.

// Kernels/tanh_forward.cl says where the numbers come from.
static void LEVEL(tanh_forward)(const float *x, ptrdiff_t count, float *y) {
#pragma STDC FP_CONTRACT OFF
    for (ptrdiff_t i = 0; i < count * CLANES_WIDTH; i += VECTOR) {
        const VEC value = LOAD(x + i);
        const MASK sign = (MASK)value & INT32_MIN;
        const VEC size = (VEC)((MASK)value ^ sign);
        const VEC square = size * size;
        VEC above = (VEC){} + 5.0762404e-8f;
        above = above * square + 3.1589112e-5f;
        above = above * square + 4.0085111e-3f;
        above = above * square + 0.13785366f;
        above = above * square + 1.0f;
        VEC below = (VEC){} + 7.3744721e-10f;
        below = below * square + 1.6174894e-6f;
        below = below * square + 4.2074115e-4f;
        below = below * square + 2.7737520e-2f;
        below = below * square + 0.47118698f;
        below = below * square + 1.0f;
        const VEC result = size * (above / below);
        const VEC kept = SELECT(VEC, (size > 9.02f) | (result > 1.0f), (VEC){} + 1.0f, result);
        *(VEC *)(y + i) = (VEC)((MASK)kept | sign);
    }
}

static void LEVEL(tanh_backward)(const float *y, ptrdiff_t count, float *gradient) {
#pragma STDC FP_CONTRACT OFF
    for (ptrdiff_t i = 0; i < count * CLANES_WIDTH; i += VECTOR) {
        const VEC value = LOAD(y + i);
        *(VEC *)(gradient + i) = LOAD(gradient + i) * ((1.0f - value) * (1.0f + value));
    }
}

// Where window (row, column) of a plane begins.
#define CORNER(row, column) (((row) * s->side * s->columns + (column) * s->side) * CLANES_WIDTH + lane)
// Value (y, x) of a window.
#define IN_WINDOW(y, x) (((y) * s->columns + (x)) * CLANES_WIDTH)
// Vector (row, column) of a plane of windows.
#define WINDOW(row, column) (((row) * (s->columns / s->side) + (column)) * CLANES_WIDTH + lane)

static void LEVEL(pool_mean)(const clanes_windows *s, const float *x, float *y) {
#pragma STDC FP_CONTRACT OFF
    const float count = (float)(s->side * s->side);
    for (ptrdiff_t row = 0; row < s->rows / s->side; row++)
        for (ptrdiff_t column = 0; column < s->columns / s->side; column++)
            for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
                VEC sum = {};
                for (ptrdiff_t i = 0; i < s->side; i++)
                    for (ptrdiff_t j = 0; j < s->side; j++) sum += LOAD(x + CORNER(row, column) + IN_WINDOW(i, j));
                *(VEC *)(y + WINDOW(row, column)) = sum / count;
            }
}

static void LEVEL(pool_largest)(const clanes_windows *s, const float *x, float *y, int32_t *winners) {
    for (ptrdiff_t row = 0; row < s->rows / s->side; row++)
        for (ptrdiff_t column = 0; column < s->columns / s->side; column++)
            for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
                VEC largest = LOAD(x + CORNER(row, column));
                MASK winner = {};
                for (ptrdiff_t i = 0; i < s->side; i++)
                    for (ptrdiff_t j = 0; j < s->side; j++) {
                        const VEC value = LOAD(x + CORNER(row, column) + IN_WINDOW(i, j));
                        // Not value > largest: the first NaN must win.
                        const MASK wins = ~(value <= largest) & (largest == largest);
                        largest = SELECT(VEC, wins, value, largest);
                        winner = SELECT(MASK, wins, (MASK){} + (int32_t)(i * s->side + j), winner);
                    }
                *(VEC *)(y + WINDOW(row, column)) = largest;
                *(MASK *)(winners + WINDOW(row, column)) = winner;
            }
}

// Puts 0 into the rows and columns after the last whole window.
static void LEVEL(clear_rest)(const clanes_windows *s, float *dx) {
    const ptrdiff_t rows = s->rows / s->side * s->side, columns = s->columns / s->side * s->side;
    for (ptrdiff_t row = 0; row < s->rows; row++)
        for (ptrdiff_t i = (row < rows ? columns : 0) * CLANES_WIDTH; i < s->columns * CLANES_WIDTH; i++)
            dx[row * s->columns * CLANES_WIDTH + i] = 0;
}

static void LEVEL(pool_mean_backward)(const clanes_windows *s, const float *dy, float *dx) {
    const float count = (float)(s->side * s->side);
    for (ptrdiff_t row = 0; row < s->rows / s->side; row++)
        for (ptrdiff_t column = 0; column < s->columns / s->side; column++)
            for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
                const VEC share = LOAD(dy + WINDOW(row, column)) / count;
                for (ptrdiff_t i = 0; i < s->side; i++)
                    for (ptrdiff_t j = 0; j < s->side; j++)
                        *(VEC *)(dx + CORNER(row, column) + IN_WINDOW(i, j)) = share;
            }
    LEVEL(clear_rest)(s, dx);
}

static void LEVEL(pool_largest_backward)(
    const clanes_windows *s, const float *dy, const int32_t *winners, float *dx) {
    for (ptrdiff_t row = 0; row < s->rows / s->side; row++)
        for (ptrdiff_t column = 0; column < s->columns / s->side; column++)
            for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
                const VEC gradient = LOAD(dy + WINDOW(row, column));
                const MASK winner = *(const MASK *)(winners + WINDOW(row, column));
                for (ptrdiff_t i = 0; i < s->side; i++)
                    for (ptrdiff_t j = 0; j < s->side; j++)
                        *(VEC *)(dx + CORNER(row, column) + IN_WINDOW(i, j)) =
                            SELECT(VEC, winner == (int32_t)(i * s->side + j), gradient, (VEC){});
            }
    LEVEL(clear_rest)(s, dx);
}

#undef CORNER
#undef IN_WINDOW
#undef WINDOW

static void LEVEL(deviations)(const float *x, ptrdiff_t count, float pivot, float *sums, float *squares) {
#pragma STDC FP_CONTRACT OFF
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        VEC sum = {}, square = {};
        for (ptrdiff_t i = lane; i < count * CLANES_WIDTH; i += CLANES_WIDTH) {
            const VEC deviation = LOAD(x + i) - pivot;
            sum += deviation;
            square += deviation * deviation;
        }
        *(VEC *)(sums + lane) = sum;
        *(VEC *)(squares + lane) = square;
    }
}

static void LEVEL(normalise)(const float *x, ptrdiff_t count, float mean, float scale, float shift, float *y) {
#pragma STDC FP_CONTRACT OFF
    for (ptrdiff_t i = 0; i < count * CLANES_WIDTH; i += VECTOR) *(VEC *)(y + i) = (LOAD(x + i) - mean) * scale + shift;
}

static void LEVEL(normalise_backward)(
    const clanes_batch_norm_slope *n, const float *x, ptrdiff_t count, float *gradient) {
#pragma STDC FP_CONTRACT OFF
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        MASK counted;
        UNROLL for (int i = 0; i < VECTOR; i++) counted[i] = lane + i < n->lanes ? -1 : 0;
        for (ptrdiff_t i = lane; i < count * CLANES_WIDTH; i += CLANES_WIDTH) {
            const VEC normalised = (LOAD(x + i) - n->mean) * n->inverse;
            const VEC whole = (LOAD(gradient + i) - n->shift - normalised * n->slope) * n->factor;
            *(VEC *)(gradient + i) = SELECT(VEC, counted, whole, (VEC){});
        }
    }
}

static void LEVEL(squared_error)(
    const float *x, const float *target, ptrdiff_t count, float factor, ptrdiff_t lanes, float *delta, float *squares) {
#pragma STDC FP_CONTRACT OFF
    for (int lane = 0; lane < CLANES_WIDTH; lane += VECTOR) {
        MASK counted;
        UNROLL for (int i = 0; i < VECTOR; i++) counted[i] = lane + i < lanes ? -1 : 0;
        VEC square = {};
        for (ptrdiff_t i = lane; i < count * CLANES_WIDTH; i += CLANES_WIDTH) {
            const VEC gap = LOAD(x + i) - LOAD(target + i);
            square += gap * gap;
            *(VEC *)(delta + i) = SELECT(VEC, counted, gap * factor, (VEC){});
        }
        *(VEC *)(squares + lane) = square;
    }
}
