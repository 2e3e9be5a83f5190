// The next batch of a training order as an activation, and the start of a step: the schedule's next row becomes current
// (begin_step).
//
// output[r][t][feature][s] = samples[order[position]][feature] * scale + shift, batch_labels[r][t][s] its label; 0 and -1
// in masked samples. Samples are bytes or floats, [count][features]; a channel is `positions` neighbouring features, and
// scaling[channel] its (scale, shift). With AUGMENT the samples are 8-bit images of rows of `width` bytes, each moved and
// mirrored as changes[position] says (augmentation.clh).
//
// A member takes every feature that falls to it of all members of the work-groups that share a tile; where samples are bytes,
// taken as they are, and channels whole words, every four neighbouring features. Groups: (tile, share, replica).
#include "begin_step.clh"

#if BYTES
typedef uchar feature_t;
#else
typedef float feature_t;
#endif

#if AUGMENT
#include "augmentation.clh"
#endif

static inline floatv load_private_floatv(const float *values) {
#if VW == 1
    return values[0];
#elif VW == 4
    return vload4(0, values);
#elif VW == 8
    return vload8(0, values);
#else
    return vload16(0, values);
#endif
}

TEAM_KERNEL void gather_samples(__global const feature_t *restrict samples, __global const uchar *restrict labels,
                                __global const int *restrict order, const int order_stride,
#if AUGMENT
                                __global const int *restrict changes, const int width,
#endif
                                const int features, const int positions, __global const float *restrict scaling,
                                __global const int *restrict batches, const int rows,
                                __global const int *restrict cursor, __global int *restrict current,
                                __global float *restrict output, __global int *restrict batch_labels) {
    const int lane = get_local_id(0);
    const int replica = get_group_id(2);
    const int tile = get_group_id(0);
    const size_t batch_tile = (size_t)replica * get_num_groups(0) + tile;
    const int member = get_global_id(1);
    const int members = get_global_size(1);
    const int2 batch = begin_step(batches, rows, cursor, replica, tile == 0 && member == 0 && lane == 0, current);
    const int base = batch.x;
    const int valid = batch.y;
    order += (size_t)replica * order_stride + base;
    batch_labels += batch_tile * TILE + lane * VW;
    const int first = tile * TILE + lane * VW;
#if AUGMENT
    changes += (size_t)replica * order_stride + base;
    int change[VW];
    UNROLL for (int i = 0; i < VW; i++) change[i] = first + i >= valid ? UNCHANGED : changes[first + i];
#endif
    __global const feature_t *sample[VW];
    UNROLL for (int i = 0; i < VW; i++) {
        const bool masked = first + i >= valid;
        // Masked samples read sample 0, which is there, and do not use it.
        const int index = masked ? 0 : order[first + i];
        sample[i] = samples + (size_t)index * features;
        if (member == 0) batch_labels[i] = masked ? -1 : labels[index];
    }
    const int counted = valid_samples(tile, valid);
    output += batch_tile * features * TILE + lane * VW;
#if BYTES && !AUGMENT && defined(__ENDIAN_LITTLE__)
    if (positions % 4 == 0) {
        // Four features per load: one word of each sample, unpacked in the lanes.
        for (int feature = member * 4; feature < features; feature += members * 4) {
            uint words[VW];
            UNROLL for (int i = 0; i < VW; i++) words[i] = *(__global const uint *)(sample[i] + feature);
            const uintv word = load_private_uintv(words);
            __global const float *channel = scaling + 2 * (feature / positions);
            UNROLL for (int place = 0; place < 4; place++) {
                const uintv byte = (word >> (8 * place)) & 255;
                VECTOR_OUT(output + (size_t)(feature + place) * TILE) =
                    mask_samples(convert_floatv(byte) * channel[0] + channel[1], counted);
            }
        }
        return;
    }
#endif
    for (int feature = member; feature < features; feature += members) {
        float values[VW];
#if AUGMENT
        const int plane = feature / positions;
        const int position = feature - plane * positions;
        const int row = position / width;
        UNROLL for (int i = 0; i < VW; i++) {
            values[i] = changed_pixel(sample[i] + plane * positions, change[i], row, position - row * width,
                                      positions / width, width);
        }
#else
        UNROLL for (int i = 0; i < VW; i++) values[i] = sample[i][feature];
#endif
        __global const float *channel = scaling + 2 * (feature / positions);
        VECTOR_OUT(output + (size_t)feature * TILE) =
            mask_samples(load_private_floatv(values) * channel[0] + channel[1], counted);
    }
}
