// Reads a batch of 8-bit images in training order: activations [replica][tile][pixel][sample] =
// images[order[...]][pixel] * scale + shift, and labels [replica][tile][sample]. Masked samples get 0 and label -1.
//
// A work-group takes one tile and BLOCK of the PIXELS; its work-items VW samples each.
// Groups: (tile, block, replica).
TILE_KERNEL void gather_batch(__global const uchar *restrict images, __global const uchar *restrict labels,
                              __global const int *restrict order, __global const int *restrict current,
                              const int order_stride, const float scale, const float shift,
                              __global float *restrict activations, __global int *restrict batch_labels) {
    const int lane = get_local_id(0);
    const int tile = get_group_id(0);
    const int batch_tile = get_group_id(2) * get_num_groups(0) + tile;
    const int base = current[0];
    const int valid = current[1];
    const int first = tile * TILE + lane * VW;

    __global const uchar *image[VW];
    UNROLL for (int sample = 0; sample < VW; sample++) {
        const bool masked = first + sample >= valid;
        // Masked samples read image 0, which is there, and do not use it.
        const int index = masked ? 0 : order[get_group_id(2) * order_stride + base + first + sample];
        image[sample] = images + (size_t)index * PIXELS;
        if (get_group_id(1) == 0) batch_labels[batch_tile * TILE + lane * VW + sample] = masked ? -1 : labels[index];
    }

    const int counted = valid_samples(tile, valid);
    const int end = min((int)(get_group_id(1) + 1) * BLOCK, PIXELS);
    __global float *target = activations + (size_t)batch_tile * PIXELS * TILE + lane * VW;
#if PIXELS % 4 == 0
#ifndef __ENDIAN_LITTLE__
#error a word of four pixels is taken apart from its lowest byte on
#endif
    // Four pixels a load: one word of each image, taken apart in the lanes.
    for (int pixel = get_group_id(1) * BLOCK; pixel < end; pixel += 4) {
        uint words[VW];
        UNROLL for (int sample = 0; sample < VW; sample++) words[sample] = *(__global const uint *)(image[sample] + pixel);
        const uintv word = load_private_uintv(words);
        UNROLL for (int place = 0; place < 4; place++) {
            const uintv byte = (word >> (8 * place)) & 255;
            VECTOR_OUT(target + (pixel + place) * TILE) = mask_samples(convert_floatv(byte) * scale + shift, counted);
        }
    }
#else
    for (int pixel = get_group_id(1) * BLOCK; pixel < end; pixel++) {
        uint bytes[VW];
        UNROLL for (int sample = 0; sample < VW; sample++) bytes[sample] = image[sample][pixel];
        VECTOR_OUT(target + pixel * TILE) =
            mask_samples(convert_floatv(load_private_uintv(bytes)) * scale + shift, counted);
    }
#endif
}
