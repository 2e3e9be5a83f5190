// The end of the backward pass: the gradients of both convolutions' weights, after batch norm's backward pass over the
// first one, as conv2d_block_backward does it. Nothing else needs that gradient: a processor keeps a row of it, a GPU a
// pair of values. A group of tile 0 writes the gradients of gamma and beta.
//   tile_gradients[r][t][((c * KERNEL + ky) * KERNEL + kx) * OUT_CHANNELS + o] = sum over y, x and the tile's samples of
//     input[r][t][c][y + ky][x + kx][s] * gradient[r][t][o][y][x][s]: the first block's, a sum a tile.
//   gradients[r][weights + the same] for the next block (NEXT_...), whose gradient is there: over all samples.
//
// On a processor, a member holds OB (NEXT_OB) channels x KERNEL taps of one kernel row in registers; OB divides
// OUT_CHANNELS. Sums over the samples are folded at the end. Groups: (tile, 1, replica). On a GPU, a team takes one kernel
// at a time; groups: (tile, share, replica), of which each takes every so many-th kernel.
#include "batch_norm.clh"

#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)
#define TAPS (IN_CHANNELS * KERNEL * KERNEL)
#define NEXT_OUT_HEIGHT (NEXT_HEIGHT - KERNEL + 1)
#define NEXT_OUT_WIDTH (NEXT_WIDTH - KERNEL + 1)
#define KERNEL_ROWS (IN_CHANNELS * KERNEL)
#define BLOCKS (OUT_CHANNELS / OB)
// Blocks of channels whose sums and rows of gradients are in private memory: 40 KiB of it, or one block.
#define BLOCK_BYTES (OB * (KERNEL_ROWS * KERNEL + OUT_WIDTH) * VW * 4)
#define BLOCKS_THAT_FIT ((40 << 10) / BLOCK_BYTES)
#define BLOCKS_AT_ONCE (BLOCKS_THAT_FIT < 1 ? 1 : BLOCKS_THAT_FIT < BLOCKS ? BLOCKS_THAT_FIT : BLOCKS)
#define NEXT_UNITS (OUT_CHANNELS * KERNEL * (NEXT_OUT_CHANNELS / NEXT_OB))

#include "weight_gradients.clh"

TEAM_KERNEL void conv2d_weight_gradients(
    __global const float *restrict input, __global float *restrict convolved, __global const uchar *restrict winners,
    __global const float *restrict pooled_gradient, __global const float *restrict saved,
    __global const float *restrict sums, __global const float *restrict parameters, const int stride, const int gamma,
    const int beta, __global const int *restrict current, __global const float *restrict next_input,
    __global const float *restrict next_gradient, const int next_weights, __global float *restrict tile_gradients,
    __global float *restrict gradients) {
    const int lane = get_local_id(0);
    const int member = get_local_id(1);
    const int tile = get_group_id(0);
    const int tiles = get_num_groups(0);
    const int replica = get_group_id(2);
    const int batch_tile = replica * tiles + tile;
    const int valid = current[4 * replica + 1];
    const int counted = valid_samples(tile, valid);
    parameters += (size_t)replica * stride;
    gradients += (size_t)replica * stride;
#if TEAM > 1
    __local float folded_lanes[FOLDED_LANES];
    __local float folded_members[FOLDED_MEMBERS];
#elif ITEMS > 1
    // Of one output channel at a time: sums of all would not fit into the 32 KiB that every device has.
    __local float scratch[TEAM][KERNEL][LANES];
#endif

    __local norm_gradient_t norms[OUT_CHANNELS];
    for (int channel = item_number(); channel < OUT_CHANNELS; channel += ITEMS) {
        norms[channel] = norm_gradient(sums, saved, replica, channel, OUT_CHANNELS, tiles, OUT_HEIGHT * OUT_WIDTH, valid,
                                       parameters[gamma + channel], gradients + gamma, gradients + beta,
                                       tile == 0 && get_group_id(1) == 0);
    }
    team_barrier();
    input += (size_t)batch_tile * IN_CHANNELS * HEIGHT * WIDTH * TILE + lane * VW;
    convolved += (size_t)batch_tile * OUT_CHANNELS * OUT_HEIGHT * OUT_WIDTH * TILE + lane * VW;
    tile_gradients += batch_tile * PADDED(TAPS * OUT_CHANNELS);
    const size_t pooled = (size_t)batch_tile * OUT_CHANNELS * (OUT_HEIGHT / 2) * (OUT_WIDTH / 2) * TILE + lane * VW;
#if TEAM == 1
    // A row of all channels stays in the innermost cache while every unit adds its part of it to sums in memory: of so many
    // channels at a time that both stay there.
    floatv sums_so_far[BLOCKS_AT_ONCE * KERNEL_ROWS][OB][KERNEL];
    floatv row_gradients[BLOCKS_AT_ONCE * OB * OUT_WIDTH];
    for (int first = 0; first < BLOCKS; first += BLOCKS_AT_ONCE) {
        const int units = min(BLOCKS_AT_ONCE, BLOCKS - first) * KERNEL_ROWS;
        for (int unit = 0; unit < units; unit++) {
            UNROLL for (int o = 0; o < OB; o++) {
                UNROLL for (int kx = 0; kx < KERNEL; kx++) sums_so_far[unit][o][kx] = 0;
            }
        }
        for (int row = 0; row < OUT_HEIGHT; row++) {
            for (int place = 0; place < units / KERNEL_ROWS * OB; place++) {
                const int channel = first * OB + place;
                __global const float *values = convolved + (channel * OUT_HEIGHT + row) * OUT_WIDTH * TILE;
                for (int column = 0; column < OUT_WIDTH; column += 2) {
                    floatv pair[2];
                    norm_gradient_pair(values, winners + pooled, pooled_gradient + pooled, channel, row, column,
                                       OUT_HEIGHT, OUT_WIDTH, norms[channel], counted, pair);
                    row_gradients[place * OUT_WIDTH + column] = pair[0];
                    if (column + 1 < OUT_WIDTH) row_gradients[place * OUT_WIDTH + column + 1] = pair[1];
                }
            }
            for (int unit = 0; unit < units; unit++) {
                const int block = unit / KERNEL_ROWS;
                const int kernel_row = unit - block * KERNEL_ROWS;
                const int c = kernel_row / KERNEL;
                __global const float *source = input + (c * HEIGHT + row + kernel_row - c * KERNEL) * WIDTH * TILE;
                const floatv *delta = row_gradients + block * OB * OUT_WIDTH;
                floatv sum[OB][KERNEL];
                UNROLL for (int o = 0; o < OB; o++) {
                    UNROLL for (int kx = 0; kx < KERNEL; kx++) sum[o][kx] = sums_so_far[unit][o][kx];
                }
                ACCUMULATE_ROW(sum, OB, source, delta[o * OUT_WIDTH + column], OUT_WIDTH)
                UNROLL for (int o = 0; o < OB; o++) {
                    UNROLL for (int kx = 0; kx < KERNEL; kx++) sums_so_far[unit][o][kx] = sum[o][kx];
                }
            }
        }
        for (int unit = 0; unit < units; unit++) {
            const int block = unit / KERNEL_ROWS;
            const int kernel_row = unit - block * KERNEL_ROWS;
            floatv sum[OB][KERNEL];
            UNROLL for (int o = 0; o < OB; o++) {
                UNROLL for (int kx = 0; kx < KERNEL; kx++) sum[o][kx] = sums_so_far[unit][o][kx];
            }
            FOLD(sum, OB, true, tile_gradients + kernel_row * KERNEL * OUT_CHANNELS + (first + block) * OB, OUT_CHANNELS)
        }
    }
#else
    const int shares = get_num_groups(1);
    for (int unit = get_group_id(1); unit < IN_CHANNELS * OUT_CHANNELS; unit += shares) {
        const int channel = unit / IN_CHANNELS;
        const int c = unit - channel * IN_CHANNELS;
        float sum[KERNEL * KERNEL];
        UNROLL for (int tap = 0; tap < KERNEL * KERNEL; tap++) sum[tap] = 0;
        for (int row = member; row < OUT_HEIGHT; row += TEAM) {
            __global const float *source = input + (c * HEIGHT + row) * WIDTH * TILE;
            __global const float *values = convolved + (channel * OUT_HEIGHT + row) * OUT_WIDTH * TILE;
            UNROLL for (int column = 0; column < OUT_WIDTH; column += 2) {
                float pair[2];
                norm_gradient_pair(values, winners + pooled, pooled_gradient + pooled, channel, row, column, OUT_HEIGHT,
                                   OUT_WIDTH, norms[channel], counted, pair);
                accumulate_pair(sum, source, WIDTH, column, column + 1 < OUT_WIDTH, pair);
            }
        }
        fold(sum, folded_lanes, folded_members, tile_gradients + c * KERNEL * KERNEL * OUT_CHANNELS + channel, OUT_CHANNELS);
    }
#endif

    next_input += (size_t)replica * tiles * OUT_CHANNELS * NEXT_HEIGHT * NEXT_WIDTH * TILE + lane * VW;
    next_gradient += (size_t)replica * tiles * NEXT_OUT_CHANNELS * NEXT_OUT_HEIGHT * NEXT_OUT_WIDTH * TILE + lane * VW;
    gradients += next_weights;
#if TEAM == 1
    for (int turn = 0; turn < COUNT_CEIL(NEXT_UNITS, tiles); turn++) {
        const int unit = turn * tiles + tile;
        const bool has_unit = unit < NEXT_UNITS;
        const int block = unit / (OUT_CHANNELS * KERNEL);
        const int kernel_row = unit - block * OUT_CHANNELS * KERNEL;
        const int c = kernel_row / KERNEL;
        floatv sum[NEXT_OB][KERNEL];
        UNROLL for (int o = 0; o < NEXT_OB; o++) {
            UNROLL for (int kx = 0; kx < KERNEL; kx++) sum[o][kx] = 0;
        }
        if (has_unit) {
            for (int other = 0; other < tiles; other++) {
                for (int row = 0; row < NEXT_OUT_HEIGHT; row++) {
                    __global const float *source =
                        next_input +
                        ((other * OUT_CHANNELS + c) * NEXT_HEIGHT + row + kernel_row - c * KERNEL) * NEXT_WIDTH * TILE;
                    __global const float *delta =
                        next_gradient +
                        ((other * NEXT_OUT_CHANNELS + block * NEXT_OB) * NEXT_OUT_HEIGHT + row) * NEXT_OUT_WIDTH * TILE;
                    ACCUMULATE_ROW(sum, NEXT_OB, source,
                                   VECTOR(delta + (o * NEXT_OUT_HEIGHT * NEXT_OUT_WIDTH + column) * TILE),
                                   NEXT_OUT_WIDTH)
                }
            }
        }
        FOLD(sum, NEXT_OB, has_unit, gradients + kernel_row * KERNEL * NEXT_OUT_CHANNELS + block * NEXT_OB,
             NEXT_OUT_CHANNELS)
    }
#else
    for (int unit = get_group_id(1) * tiles + tile; unit < OUT_CHANNELS * NEXT_OUT_CHANNELS; unit += shares * tiles) {
        const int channel = unit / OUT_CHANNELS;
        const int c = unit - channel * OUT_CHANNELS;
        float sum[KERNEL * KERNEL];
        UNROLL for (int tap = 0; tap < KERNEL * KERNEL; tap++) sum[tap] = 0;
        for (int tile_row = member; tile_row < tiles * NEXT_OUT_HEIGHT; tile_row += TEAM) {
            const int other = tile_row / NEXT_OUT_HEIGHT;
            const int row = tile_row - other * NEXT_OUT_HEIGHT;
            __global const float *source =
                next_input + ((other * OUT_CHANNELS + c) * NEXT_HEIGHT + row) * NEXT_WIDTH * TILE;
            __global const float *delta =
                next_gradient + ((other * NEXT_OUT_CHANNELS + channel) * NEXT_OUT_HEIGHT + row) * NEXT_OUT_WIDTH * TILE;
            UNROLL for (int column = 0; column < NEXT_OUT_WIDTH; column += 2) {
                const bool has_second = column + 1 < NEXT_OUT_WIDTH;
                const float pair[2] = {delta[column * TILE], has_second ? delta[(column + 1) * TILE] : 0};
                accumulate_pair(sum, source, NEXT_WIDTH, column, has_second, pair);
            }
        }
        fold(sum, folded_lanes, folded_members, gradients + c * KERNEL * KERNEL * NEXT_OUT_CHANNELS + channel, NEXT_OUT_CHANNELS);
    }
#endif
}
