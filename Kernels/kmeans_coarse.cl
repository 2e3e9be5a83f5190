// Centroids as 8-bit numbers, for the coarse search of kmeans_assign: values [k][D] and panels [panel][1 + D][R], as
// kmeans_panels makes them, into coarse [panel][COARSE_ROWS][R] and bounds [panel][BOUNDS]; coarse_panels.clh has the layout.
// A number is the nearest to the coordinate divided by the panel's scale. The length is infinite where a centroid of the panel
// has a number that is NaN or too large.
//
// One work-item a panel.
// Defines: D, R.

#include "coarse_panels.clh"

__kernel void kmeans_coarse(
    __global const float *values, __global const float *panels, __global int *coarse, __global float *bounds,
    const int count) {
    const int panel = get_global_id(0);
    const int first = panel * R;
    if (first >= count) return;
    const int end = min(first + R, count);
    // The largest number, sum of squares in half of a chunk, and square.
    float largest = 0.0f, part = 0.0f, square = 0.0f, half_square = 0.0f;
    bool is_fine = true;
    for (int centroid = first; centroid < end; centroid++) {
        float total = 0.0f;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            float sums[2] = {0.0f, 0.0f};
            for (int step = chunk * CHUNK; step < min(STEPS, (chunk + 1) * CHUNK); step++) {
                UNROLL for (int byte = 0; byte < 4; byte++) {
                    if (step * 4 + byte >= D) continue;
                    const float value = values[(size_t)centroid * D + step * 4 + byte];
                    is_fine = is_fine && fabs(value) <= MOST_LENGTH;
                    largest = fmax(largest, fabs(value));
                    sums[byte / 2] = fma(value, value, sums[byte / 2]);
                }
            }
            part = fmax(part, fmax(sums[0], sums[1]));
            total += sums[0] + sums[1];
        }
        square = fmax(square, total);
        half_square = fmax(half_square, -panels[(size_t)panel * (1 + D) * R + centroid - first]);
    }
    const float scale =
        is_fine ? fmax(fmax(largest / MOST_CENTROID, sqrt(part) / MOST_NORM), LEAST_LENGTH / 100.0f) : 1.0f;
    float error = 0.0f;
    for (int slot = 0; slot < R; slot++) {
        const int centroid = first + slot;
        float total = 0.0f;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            __global int *to = coarse + ((size_t)panel * COARSE_ROWS + chunk * (1 + CHUNK)) * R + slot;
            int sums[2] = {0, 0};
            for (int step = 0; step < min(CHUNK, STEPS - chunk * CHUNK); step++) {
                uint packed = 0;
                UNROLL for (int byte = 0; byte < 4; byte++) {
                    const int dimension = (chunk * CHUNK + step) * 4 + byte;
                    const bool is_used = is_fine && centroid < end && dimension < D;
                    const float value = is_used ? values[(size_t)centroid * D + dimension] : 0.0f;
                    const float rounded = rint(value / scale);
                    const float difference = fma(-scale, rounded, value);
                    total = fma(difference, difference, total);
                    const int number = convert_int(rounded);
                    sums[byte / 2] += number;
                    packed |= ((uint)number & 0xff) << (8 * byte);
                }
                to[(1 + step) * R] = (int)packed;
            }
            to[0] = (int)(((uint)(-128 * sums[0]) & 0xffff) | (uint)(-128 * sums[1]) << 16);
        }
        error = fmax(error, total);
    }
    __global float *bound = bounds + panel * BOUNDS;
    bound[SCALE] = scale;
    bound[ERROR] = sqrt(error);
    bound[LENGTH] = is_fine ? sqrt(square) : INFINITY;
    bound[HALF_SQUARE] = half_square;
}
