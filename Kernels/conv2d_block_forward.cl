// Forward pass of a block of convolution, batch norm, ReLU and 2x2 max-pool, as far as it goes without the statistics
// of the whole batch. First its input, written for the backward pass: with GATHER, a batch of 8-bit images in training
// order, pixel * scale + shift with those of its channel, and 0 in masked samples, with AUGMENT moved and mirrored; else
// the block before it, normalised and through ReLU. Then
//   convolved[r][t][o][y][x][s] = bias[o] + sum over c, ky, kx of input[r][t][c][y + ky][x + kx][s] * weights[c][ky][kx][o]
//   pooled[r][t][o][y / 2][x / 2][s] = the value that wins the pool: the largest, the smallest where gamma < 0, the
//     first where gamma is 0; winners the place 2 * dy + dx of it. Normalising keeps the order, so that it can follow.
//   partials[r][t][o] = (mean, sum of squared deviations) of the tile's valid samples. Each lane sums deviations from
//     its own first value, so that no large squares cancel.
// Without TRAINING, pooled alone are written, and the block before is normalised by its running statistics.
//
// A member holds OB channels x 2x2 outputs in registers; OB divides OUT_CHANNELS. Groups: (tile, 1, replica).
#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)
#define POOLED_HEIGHT (OUT_HEIGHT / 2)
#define POOLED_WIDTH (OUT_WIDTH / 2)
#define POSITIONS (HEIGHT * WIDTH)

// Whether there is a second row (column) of a pair that starts at `index`.
#define HAS_SECOND(index, extent) ((extent) % 2 == 0 ? 1 : (index) + 1 < (extent))

// The channels whose statistics are in local memory at a time, in whole blocks: as many as strips.clh has room for.
#define STATISTICS_THAT_FIT ((12 << 10) / (2 * 4 * TILE) / OB * OB)
#define STRIP_CHANNELS (OUT_CHANNELS < STATISTICS_THAT_FIT ? OUT_CHANNELS : STATISTICS_THAT_FIT)
#define STRIP_UNITS COUNT_CEIL(OUT_HEIGHT, 2)
#include "strips.clh"
#include "block_statistics.clh"
#include "batch_norm.clh"
#if AUGMENT
#include "augmentation.clh"
#endif
#if GATHER
#include "begin_step.clh"
#include "gather.clh"
#endif

TEAM_KERNEL void conv2d_block_forward(
#if GATHER
    __global const uchar *restrict images, __global const uchar *restrict labels, __global const int *restrict order,
    const int order_stride,
#if AUGMENT
    __global const int *restrict changes,
#endif
    __global const float *restrict scaling, __global const int *restrict batches, const int rows,
    __global const int *restrict cursor, __global int *restrict current, __global int *restrict batch_labels,
#else
    __global const float *restrict source, const int source_positions, const int source_gamma, const int source_beta,
    __global float *restrict source_running, __global const int *restrict current,
#if TRAINING
    __global const float *restrict source_partials, __global float *restrict source_saved,
#endif
#endif
    __global const float *restrict parameters, const int stride, const int weights, const int bias, const int gamma,
    __global float *restrict input, __global float *restrict pooled
#if TRAINING
    , __global float *restrict convolved, __global uchar *restrict winners, __global float *restrict partials
#endif
    ) {
    const int lane = get_local_id(0);
    const int tile = get_group_id(0);
    const int tiles = get_num_groups(0);
    const int replica = get_group_id(2);
    const size_t batch_tile = (size_t)replica * tiles + tile;
    parameters += (size_t)replica * stride;
    input += batch_tile * IN_CHANNELS * POSITIONS * TILE + lane * VW;

#if GATHER
    const int2 batch = begin_step(batches, rows, cursor, replica, tile == 0 && item_number() == 0, current);
    const int base = batch.x;
    const int valid = batch.y;
    gather(images, labels, order + (size_t)replica * order_stride + base,
#if AUGMENT
           changes + (size_t)replica * order_stride + base,
#endif
           tile, valid, scaling, input, batch_labels + batch_tile * TILE);
#else
    const int valid = current[4 * replica + 1];
    __local float scales[IN_CHANNELS];
    __local float shifts[IN_CHANNELS];
    source_running += replica * 2 * IN_CHANNELS;
    for (int channel = item_number(); channel < IN_CHANNELS; channel += ITEMS) {
        const float channel_gamma = parameters[source_gamma + channel];
        const float channel_beta = parameters[source_beta + channel];
#if TRAINING
        const norm_t norm = batch_norm(source_partials + 2 * replica * tiles * IN_CHANNELS, channel, IN_CHANNELS, tiles,
                                       source_positions, valid, channel_gamma, channel_beta, source_running, tile == 0);
        if (tile == 0) {
            source_saved[2 * (replica * IN_CHANNELS + channel)] = norm.mean;
            source_saved[2 * (replica * IN_CHANNELS + channel) + 1] = norm.inverse;
        }
#else
        const norm_t norm = norm_of(source_running[channel], source_running[IN_CHANNELS + channel], channel_gamma,
                                    channel_beta);
#endif
        scales[channel] = norm.scale;
        shifts[channel] = norm.shift;
    }
    team_barrier();
    source += batch_tile * IN_CHANNELS * POSITIONS * TILE + lane * VW;
    for (int channel = get_local_id(1); channel < IN_CHANNELS; channel += TEAM) {
        for (int position = channel * POSITIONS; position < (channel + 1) * POSITIONS; position++) {
            VECTOR_OUT(input + position * TILE) =
                relu(VECTOR(source + position * TILE) * scales[channel] + shifts[channel]);
        }
    }
#endif
    team_barrier();

#if TRAINING
    __local floatv lane_means[STRIP_CHANNELS * STRIPS][LANES];
    __local floatv lane_squares[STRIP_CHANNELS * STRIPS][LANES];
    __local float strip_means[STRIP_CHANNELS * STRIPS];
    convolved += batch_tile * OUT_CHANNELS * OUT_HEIGHT * OUT_WIDTH * TILE + lane * VW;
    winners += batch_tile * OUT_CHANNELS * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
#endif
    pooled += batch_tile * OUT_CHANNELS * POOLED_HEIGHT * POOLED_WIDTH * TILE + lane * VW;
    for (int start = 0; start < OUT_CHANNELS; start += STRIP_CHANNELS) {
        const int channels = min(STRIP_CHANNELS, OUT_CHANNELS - start);
        for (int unit = get_local_id(1); unit < channels / OB * STRIPS; unit += TEAM) {
            const int block = start + unit / STRIPS * OB;
            const int strip = unit - unit / STRIPS * STRIPS;
#if TRAINING
            floatv pivot[OB], total[OB], squares[OB];
            UNROLL for (int o = 0; o < OB; o++) total[o] = squares[o] = 0;
#endif
            for (int row = 2 * strip; row < OUT_HEIGHT; row += 2 * STRIPS) {
                const int below = HAS_SECOND(row, OUT_HEIGHT);
                for (int column = 0; column < OUT_WIDTH; column += 2) {
                    const int right = HAS_SECOND(column, OUT_WIDTH);
                    floatv sum[OB][4];
                    UNROLL for (int o = 0; o < OB; o++) {
                        UNROLL for (int place = 0; place < 4; place++) sum[o][place] = parameters[bias + block + o];
                    }
                    for (int c = 0; c < IN_CHANNELS; c++) {
                        for (int ky = 0; ky < KERNEL; ky++) {
                            __global const float *upper = input + ((c * HEIGHT + row + ky) * WIDTH + column) * TILE;
                            // Where there is no second row or column, the first one's values go there and are not used.
                            __global const float *lower = upper + below * WIDTH * TILE;
                            __global const float *taps =
                                parameters + weights + (c * KERNEL + ky) * KERNEL * OUT_CHANNELS + block;
                            UNROLL for (int i = 0; i <= KERNEL; i++) {
                                const int from = i < KERNEL ? i : KERNEL - 1 + right;
                                const floatv first = VECTOR(upper + from * TILE);
                                const floatv second = VECTOR(lower + from * TILE);
                                UNROLL for (int o = 0; o < OB; o++) {
                                    if (i < KERNEL) {
                                        sum[o][0] += first * taps[i * OUT_CHANNELS + o];
                                        sum[o][2] += second * taps[i * OUT_CHANNELS + o];
                                    }
                                    if (i > 0) {
                                        sum[o][1] += first * taps[(i - 1) * OUT_CHANNELS + o];
                                        sum[o][3] += second * taps[(i - 1) * OUT_CHANNELS + o];
                                    }
                                }
                            }
                        }
                    }
                    UNROLL for (int o = 0; o < OB; o++) {
#if TRAINING
                        if (row == 2 * strip && column == 0) pivot[o] = sum[o][0];
                        UNROLL for (int place = 0; place < 4; place++) {
                            if (place / 2 <= below && place % 2 <= right) {
                                const int out_row = (block + o) * OUT_HEIGHT + row + place / 2;
                                VECTOR_OUT(convolved + (out_row * OUT_WIDTH + column + place % 2) * TILE) = sum[o][place];
                                const floatv deviation = sum[o][place] - pivot[o];
                                total[o] += deviation;
                                squares[o] += deviation * deviation;
                            }
                        }
#endif
                        if (!(below & right)) continue;
                        const float direction = sign(parameters[gamma + block + o]);
                        floatv best = sum[o][0];
                        floatv key = best * direction;
                        intv winner = 0;
                        UNROLL for (int place = 1; place < 4; place++) {
                            const floatv other = sum[o][place] * direction;
                            // The first NaN wins, and so reaches the output.
                            const intv wins = !(other <= key) & (key == key);
                            key = choose(wins, other, key);
                            best = choose(wins, sum[o][place], best);
                            winner = choose_int(wins, place, winner);
                        }
                        const int pool = (((block + o) * POOLED_HEIGHT + row / 2) * POOLED_WIDTH + column / 2) * TILE;
                        VECTOR_OUT(pooled + pool) = best;
#if TRAINING
                        *(__global ucharv *)(winners + pool) = convert_ucharv(winner);
#endif
                    }
                }
            }
#if TRAINING
            UNROLL for (int o = 0; o < OB; o++) {
                const int place = (block - start + o) * STRIPS + strip;
                lane_means[place][lane] = pivot[o] + total[o] / strip_positions(strip);
                lane_squares[place][lane] = squares[o] - total[o] * total[o] / strip_positions(strip);
            }
#endif
        }
#if TRAINING
        join_strips(lane_means, lane_squares, strip_means, channels, valid_samples(tile, valid),
                    partials + 2 * (batch_tile * OUT_CHANNELS + start));
#endif
    }
}
