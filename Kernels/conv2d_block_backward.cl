// Backward pass of a block of convolution, batch norm, ReLU and 2x2 max-pool down to the block before it, and, in the
// same launch, the gradients of the linear layers' weights, which wait for nothing else.
//
// 1. Batch norm (Ioffe & Szegedy 2015, section 3): convolved[r][t][o][y][x][s] becomes its own gradient,
//      gamma / std * (g - mean of g - normalised input * mean of g * normalised input),
//    where g is pooled_gradient at the pool's winner and 0 elsewhere; 0 in masked samples. The means come from
//    sums[r][t][o]; the group of tile 0 writes the gradients of gamma and beta.
// 2. source_gradient[r][t][c][y][x][s] = sum over o, ky, kx of that at [o][y - ky][x - kx] * weights[c][ky][kx][o], and
//    0 where the ReLU before the convolution let nothing pass (activations not positive).
// 3. source_sums[r][t][c] = (sum of source_gradient, sum of it times the normalised input of that ReLU's batch norm).
// 4. Each tile's group takes its share of the linear layers' weight gradients.
//
// A member holds IB input channels x CB columns of one row in registers and adds what each output element it loads
// gives to them. IB divides IN_CHANNELS and CB divides WIDTH; with CB = WIDTH every bound is known when compiling.
// Groups: (tile, share, replica).
#include "batch_norm.clh"

#define OUT_HEIGHT (HEIGHT - KERNEL + 1)
#define OUT_WIDTH (WIDTH - KERNEL + 1)

// The channels whose sums are in local memory at a time, in whole blocks: as many as strips.clh has room for.
#define SUMS_THAT_FIT ((12 << 10) / (2 * 4 * TILE) / IB * IB)
#define STRIP_CHANNELS (IN_CHANNELS < SUMS_THAT_FIT ? IN_CHANNELS : SUMS_THAT_FIT)
#define STRIP_UNITS HEIGHT
#include "strips.clh"
#include "classifier_layers.clh"
#include "linear_gradients.clh"

#define WEIGHT_GRADIENT(n, before)                                                                                     \
    linear_weight_gradient(hidden##before + sample * WIDTH##before, transposed##n + sample * PADDED(WIDTH##n),         \
                           WIDTH##before, PADDED(WIDTH##n), tiles, first, step, gradients + weights##n);

TEAM_KERNEL void conv2d_block_backward(
    __global float *restrict convolved, __global const uchar *restrict winners,
    __global const float *restrict pooled_gradient, __global const float *restrict saved,
    __global const float *restrict sums, __global const float *restrict parameters, const int stride, const int weights,
    const int gamma, const int beta, __global const int *restrict current, __global const float *restrict activations,
    __global const float *restrict source_pooled, __global const float *restrict source_saved,
    __global float *restrict source_gradient, __global float *restrict source_sums,
    __global const float *restrict hidden0, EACH_HIDDEN(__global const float *restrict hidden)
    EACH_LAYER(__global const float *restrict transposed) EACH_LAYER(const int weights)
    __global float *restrict gradients) {
    const int lane = get_local_id(0);
    const int tile = get_group_id(0);
    const int tiles = get_num_groups(0);
    const int replica = get_group_id(2);
    const int batch_tile = replica * tiles + tile;
    const int valid = current[4 * replica + 1];
    const int counted = valid_samples(tile, valid);
    // With several groups per tile, the first takes the convolution and the others the linear layers.
    const int share = get_group_id(1);
    const int shares = get_num_groups(1);
    const int output_rows = share == 0 ? OUT_CHANNELS * OUT_HEIGHT : 0;
    parameters += (size_t)replica * stride;
    gradients += (size_t)replica * stride;

    __local norm_gradient_t norms[OUT_CHANNELS];
    for (int channel = item_number(); channel < OUT_CHANNELS; channel += ITEMS) {
        norms[channel] = norm_gradient(sums, saved, replica, channel, OUT_CHANNELS, tiles, OUT_HEIGHT * OUT_WIDTH, valid,
                                       parameters[gamma + channel], gradients + gamma, gradients + beta,
                                       tile == 0 && share == 0);
    }
    team_barrier();
    convolved += (size_t)batch_tile * OUT_CHANNELS * OUT_HEIGHT * OUT_WIDTH * TILE + lane * VW;
    const size_t pooled = (size_t)batch_tile * OUT_CHANNELS * (OUT_HEIGHT / 2) * (OUT_WIDTH / 2) * TILE + lane * VW;
    for (int plane_row = get_local_id(1); plane_row < output_rows; plane_row += TEAM) {
        const int channel = plane_row / OUT_HEIGHT;
        norm_gradient_row(convolved + plane_row * OUT_WIDTH * TILE, winners + pooled, pooled_gradient + pooled, channel,
                          plane_row - channel * OUT_HEIGHT, OUT_HEIGHT, OUT_WIDTH, norms[channel], counted);
    }
    team_barrier();

    __local floatv lane_sums[STRIP_CHANNELS * STRIPS][LANES];
    __local floatv lane_products[STRIP_CHANNELS * STRIPS][LANES];
    __local float strip_sums[2][STRIP_CHANNELS * STRIPS];
    const size_t source_base = (size_t)batch_tile * IN_CHANNELS * HEIGHT * WIDTH * TILE + lane * VW;
    activations += source_base;
    source_pooled += source_base;
    source_gradient += source_base;
    source_saved += 2 * replica * IN_CHANNELS;
    // Every share comes through this loop, so that its barriers are in no branch; the first one alone has channels.
    for (int start = 0; start < IN_CHANNELS; start += STRIP_CHANNELS) {
        const int channels = share == 0 ? min(STRIP_CHANNELS, IN_CHANNELS - start) : 0;
        for (int unit = get_local_id(1); unit < channels / IB * STRIPS; unit += TEAM) {
            const int block = start + unit / STRIPS * IB;
            const int strip = unit - unit / STRIPS * STRIPS;
            __global const float *block_taps = parameters + weights + block * KERNEL * KERNEL * OUT_CHANNELS;
            floatv total[IB], product[IB];
            UNROLL for (int c = 0; c < IB; c++) total[c] = product[c] = 0;
            for (int row = strip; row < HEIGHT; row += STRIPS) {
                for (int column = 0; column < WIDTH; column += CB) {
                    floatv sum[IB][CB];
                    UNROLL for (int c = 0; c < IB; c++) {
                        UNROLL for (int x = 0; x < CB; x++) sum[c][x] = 0;
                    }
                    const int last_tap = min(KERNEL - 1, row);
                    for (int o = 0; o < OUT_CHANNELS; o++) {
                        for (int ky = max(0, row - OUT_HEIGHT + 1); ky <= last_tap; ky++) {
                            __global const float *source = convolved + (o * OUT_HEIGHT + row - ky) * OUT_WIDTH * TILE;
                            __global const float *taps = block_taps + ky * KERNEL * OUT_CHANNELS + o;
#if CB == WIDTH
                            UNROLL for (int from = 0; from < OUT_WIDTH; from++) {
                                const int x0 = from;
#else
                            UNROLL for (int i = 0; i < CB + KERNEL - 1; i++) {
                                const int x0 = i - KERNEL + 1;
                                const int from = column + x0;
                                if (from < 0 || from >= OUT_WIDTH) continue;
#endif
                                const floatv value = VECTOR(source + from * TILE);
                                UNROLL for (int kx = 0; kx < KERNEL; kx++) {
                                    const int x = x0 + kx;
                                    if (x >= 0 && x < CB) {
                                        UNROLL for (int c = 0; c < IB; c++) {
                                            sum[c][x] += value * taps[(c * KERNEL * KERNEL + kx) * OUT_CHANNELS];
                                        }
                                    }
                                }
                            }
                        }
                    }
                    UNROLL for (int c = 0; c < IB; c++) {
                        const float mean = source_saved[2 * (block + c)];
                        const float inverse = source_saved[2 * (block + c) + 1];
                        UNROLL for (int x = 0; x < CB; x++) {
                            const int place = (((block + c) * HEIGHT + row) * WIDTH + column + x) * TILE;
                            const floatv passed = choose(VECTOR(activations + place) <= 0, (floatv)0, sum[c][x]);
                            VECTOR_OUT(source_gradient + place) = passed;
                            total[c] += passed;
                            product[c] += passed * ((VECTOR(source_pooled + place) - mean) * inverse);
                        }
                    }
                }
            }
            UNROLL for (int c = 0; c < IB; c++) {
                lane_sums[(block - start + c) * STRIPS + strip][lane] = total[c];
                lane_products[(block - start + c) * STRIPS + strip][lane] = product[c];
            }
        }
        team_barrier();
        // Masked samples have gradients of 0.
        for (int place = item_number(); place < channels * STRIPS; place += ITEMS) {
            strip_sums[0][place] = lanes_sum(lane_sums[place], TILE);
            strip_sums[1][place] = lanes_sum(lane_products[place], TILE);
        }
        team_barrier();
        for (int channel = item_number(); channel < channels; channel += ITEMS) {
            float total = 0;
            float product = 0;
            for (int strip = 0; strip < STRIPS; strip++) {
                total += strip_sums[0][channel * STRIPS + strip];
                product += strip_sums[1][channel * STRIPS + strip];
            }
            source_sums[2 * (batch_tile * IN_CHANNELS + start + channel)] = total;
            source_sums[2 * (batch_tile * IN_CHANNELS + start + channel) + 1] = product;
        }
    }

    const int first = (max(share - 1, 0) * tiles + tile) * TEAM + get_local_id(1);
    const int step = max(shares - 1, 1) * tiles * TEAM;
    if (shares > 1 && share == 0) return;
    const size_t sample = (size_t)replica * tiles * TILE;
    FOR_EACH_LAYER(WEIGHT_GRADIENT)
}
