#pragma once

// The inner loops of the CPU path over tiles of 16 samples, compiled for several instruction sets; the best that the
// processor has is chosen at run time, so that a binary built without flags is fast everywhere. Nothing here allocates,
// fails or checks: the callers have checked every bound. Offsets between vectors are in vectors of 16 floats, those
// between weights in floats. No pointer needs more than a float's alignment.

#include <stddef.h>
#include <stdint.h>

/// Values a vector.
#define CLANES_WIDTH 16

/// Sums of vectors times weights, output o at column c being
///
///     y[o][c] = start[o] + Σ_plane Σ_row Σ_tap x[plane][row][tap][c] · w[plane][row][tap][o]
///
/// in that order: convolutions (columns are columns of the image), linear layers (columns are tiles), products of
/// matrices. A start of NULL is 0.
typedef struct {
    ptrdiff_t planes, rows, taps;
    ptrdiff_t outputs, columns;
    ptrdiff_t x_plane, x_row, x_tap, x_column;
    ptrdiff_t w_plane, w_row, w_tap, w_output;
    ptrdiff_t y_output, y_column;
} clanes_products_shape;

/// Sums of vectors times vectors, lane by lane, added to what is there, tap t of output o being
///
///     sums[t][o] += Σ_row Σ_column x[row][column + t] · d[o][row][column]
///
/// in that order: the gradient of a row of a convolution's weights before its lanes are added.
typedef struct {
    ptrdiff_t rows, columns;
    ptrdiff_t taps, outputs;
    ptrdiff_t x_row, d_row, d_output;
    ptrdiff_t sums_tap;
} clanes_correlations_shape;

/// A step of Adam (Kingma & Ba 2015): the weights of its moving averages, the step size, and 1 / sqrt(1 - beta2^t).
typedef struct {
    /// Parameters; slices of their gradients, and floats from one slice to the next.
    ptrdiff_t count, slices, slice_stride;
    float one_minus_beta1, beta2, one_minus_beta2;
    float step_size, correction, epsilon;
} clanes_adam_step;

/// The loops as one instruction set has them.
typedef struct {
    /// The instruction set.
    const char *name;
    void (*products)(
        const clanes_products_shape *shape, const float *x, const float *w, const float *start, float *y);
    void (*correlations)(const clanes_correlations_shape *shape, const float *x, const float *d, float *sums);
    /// Where scores[row][vector] is larger than best[vector], it is written there, and `first` + row to index[vector]:
    /// rows in order, so that the lowest wins a tie.
    void (*keep_largest)(
        const float *scores, ptrdiff_t rows, ptrdiff_t vectors, int32_t first, float *best, int32_t *index);
    /// Adds the slices of the gradients in order and moves parameters and moments on.
    void (*adam)(
        const clanes_adam_step *step, const float *gradients, float *parameters, float *first, float *second);
} clanes_loops;

/// The number of instruction sets that this processor has of those that the loops are compiled for, at least 1.
size_t clanes_level_count(void);
/// The loops for level `index`, the plainest first.
const clanes_loops *clanes_level(size_t index);
