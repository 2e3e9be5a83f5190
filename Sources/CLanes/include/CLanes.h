#pragma once

// The inner loops of the CPU path over tiles of 16 samples, compiled for several instruction sets; the best that the
// processor has is chosen at run time, so that a binary built without flags is fast everywhere. Nothing here allocates,
// fails or checks: the callers have checked every bound. Offsets between vectors are in vectors of 16 floats, those
// between weights in floats. No pointer needs more than a float's alignment.

#include <stddef.h>
#include <stdint.h>

/// Values a vector.
#define CLANES_WIDTH 16
/// Vectors that clanes_loops.multiply_add_chains works on.
#define CLANES_CHAINS 8

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

/// A step of Adam (Kingma & Ba 2015): the weights of its moving averages, the step size, 1 / sqrt(1 - beta2^t), what of a
/// parameter is added to its gradient, and what is left of it before the step.
typedef struct {
    /// Parameters.
    ptrdiff_t count;
    float one_minus_beta1, beta2, one_minus_beta2;
    float step_size, correction, epsilon;
    float weight_decay, kept;
} clanes_adam_step;

/// A step of stochastic gradient descent.
typedef struct {
    /// Parameters.
    ptrdiff_t count;
    float learning_rate, momentum, weight_decay;
} clanes_sgd_step;

/// A plane of a convolution's output, which is pooled two by two: an odd last row or column is left out.
typedef struct {
    ptrdiff_t rows, columns;
} clanes_plane;

/// A plane that is pooled by windows of `side` x `side` values: what is left of rows or columns after the last whole window
/// is left out.
typedef struct {
    ptrdiff_t rows, columns, side;
} clanes_windows;

/// What a batch norm's backward pass takes from a channel: the statistics, the gradient's mean, the mean of the gradient
/// times the normalised value, gamma times the inverse, and the lanes that hold a sample.
typedef struct {
    float mean, inverse, shift, slope, factor;
    ptrdiff_t lanes;
} clanes_batch_norm_slope;

/// The loops as one instruction set has them.
typedef struct {
    /// The instruction set.
    const char *name;
    void (*products)(
        const clanes_products_shape *shape, const float *x, const float *w, const float *start, float *y);
    void (*correlations)(const clanes_correlations_shape *shape, const float *x, const float *d, float *sums);
    /// Sums, lane by lane, of the deviations of `count` vectors from the first, and of their squares.
    void (*moments)(const float *x, ptrdiff_t count, float *sums, float *squares);
    /// What wins each pool of a plane, the largest where it is multiplied by `direction`, and its place in the pool: the
    /// first of equals, and the first NaN.
    void (*max_pool)(
        const clanes_plane *plane, const float *x, float direction, float *pooled, uint8_t *winners);
    /// y = max(x * scale + shift, 0) for `count` vectors; a NaN stays one.
    void (*normalise_relu)(const float *x, ptrdiff_t count, float scale, float shift, float *y);
    /// The gradient of `count` vectors becomes 0 where the ReLU's output y is not positive; a NaN of y lets it pass.
    void (*relu_backward)(const float *y, ptrdiff_t count, float *gradient);
    /// Sums, lane by lane, of the gradients of `count` pools, and of them times the normalised pooled.
    void (*pool_sums)(
        const float *pooled, const float *dy, ptrdiff_t count, float mean, float inverse, float *sums,
        float *products);
    /// The gradient of a plane in its place: (the pool's, where it won) - shift - normalised * slope, times the factor;
    /// 0 in lanes without a sample.
    void (*pool_backward)(
        const clanes_plane *plane, const clanes_batch_norm_slope *slope, const float *dy, const uint8_t *winners,
        float *x);
    /// y = tanh(x) for `count` vectors, within 8 units of 2^-24; a NaN stays one.
    void (*tanh_forward)(const float *x, ptrdiff_t count, float *y);
    /// The gradient of `count` vectors times 1 - y^2 of the tanh's output y.
    void (*tanh_backward)(const float *y, ptrdiff_t count, float *gradient);
    /// The mean of each window of a plane.
    void (*pool_mean)(const clanes_windows *plane, const float *x, float *y);
    /// The gradient of a plane from that of the means of its windows; 0 in what is left out.
    void (*pool_mean_backward)(const clanes_windows *plane, const float *dy, float *dx);
    /// The largest value of each window of a plane and its place in the window, row by row: the first of equals, and the
    /// first NaN.
    void (*pool_largest)(const clanes_windows *plane, const float *x, float *y, int32_t *winners);
    /// The gradient of a plane from that of its windows, where a value won; 0 elsewhere.
    void (*pool_largest_backward)(
        const clanes_windows *plane, const float *dy, const int32_t *winners, float *dx);
    /// Sums, lane by lane, of the deviations of `count` vectors from a number, and of their squares.
    void (*deviations)(const float *x, ptrdiff_t count, float pivot, float *sums, float *squares);
    /// y = (x - mean) * scale + shift for `count` vectors.
    void (*normalise)(const float *x, ptrdiff_t count, float mean, float scale, float shift, float *y);
    /// The gradient of `count` vectors in its place: (gradient - shift - normalised * slope), times the factor; 0 in lanes
    /// without a sample.
    void (*normalise_backward)(const clanes_batch_norm_slope *slope, const float *x, ptrdiff_t count, float *gradient);
    /// delta = (x - target) * factor for `count` vectors, 0 from lane `lanes` on, and the sums, lane by lane, of the
    /// squares of x - target.
    void (*squared_error)(
        const float *x, const float *target, ptrdiff_t count, float factor, ptrdiff_t lanes, float *delta,
        float *squares);
    /// Where scores[row][vector] is larger than best[vector], it is written there, and `first` + row to index[vector]:
    /// rows in order, so that the lowest wins a tie.
    void (*keep_largest)(
        const float *scores, ptrdiff_t rows, ptrdiff_t vectors, int32_t first, float *best, int32_t *index);
    /// The same for the three largest, best[3][vector], and the places of the first two, index[2][vector].
    void (*keep_three)(
        const float *scores, ptrdiff_t rows, ptrdiff_t vectors, int32_t first, float *best, int32_t *index);
    /// The first vector of scores[rows][vectors], counted from `from` on, that is larger than bounds[vectors] in some
    /// lane; rows * vectors where none is. A NaN is not larger.
    ptrdiff_t (*find_larger)(
        const float *scores, const float *bounds, ptrdiff_t rows, ptrdiff_t vectors, ptrdiff_t from);
    /// Moves parameters and moments on: without weight_decay and kept, with weight_decay, with kept.
    void (*adam)(
        const clanes_adam_step *step, const float *gradients, float *parameters, float *first, float *second);
    void (*adam_penalty)(
        const clanes_adam_step *step, const float *gradients, float *parameters, float *first, float *second);
    void (*adam_decoupled)(
        const clanes_adam_step *step, const float *gradients, float *parameters, float *first, float *second);
    /// Moves parameters and velocities on; without momentum where velocities is NULL.
    void (*sgd)(const clanes_sgd_step *step, const float *gradients, float *parameters, float *velocities);
    /// So many times v = v * 0.75 + 0.25 for each of CLANES_CHAINS vectors: what the arithmetic can do at most.
    void (*multiply_add_chains)(float *values, ptrdiff_t steps);
} clanes_loops;

/// The number of instruction sets that this processor has of those that the loops are compiled for, at least 1.
size_t clanes_level_count(void);
/// The loops for level `index`, the plainest first.
const clanes_loops *clanes_level(size_t index);
