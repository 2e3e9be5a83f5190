// predictions[r][first sample + position in batch] = the class of the largest logit, the lowest on ties, for each valid
// sample; logits are [r][t][class][s].
//
// Groups: (tile, 1, replica).
TILE_KERNEL void classify(__global const float *restrict logits, __global const int *restrict current, const int stride,
                          __global int *restrict predictions) {
    const int tile = get_group_id(0);
    const int offset = get_local_id(0) * VW;
    logits += ((size_t)get_group_id(2) * get_num_groups(0) + tile) * CLASSES * TILE + offset;
    floatv largest = VECTOR(logits);
    intv best = 0;
    for (int class = 1; class < CLASSES; class++) {
        const floatv value = VECTOR(logits + class * TILE);
        const intv larger = value > largest;
        largest = choose(larger, value, largest);
        best = choose_int(larger, class, best);
    }
    int lanes[VW];
#if VW == 1
    lanes[0] = best;
#elif VW == 4
    vstore4(best, 0, lanes);
#elif VW == 8
    vstore8(best, 0, lanes);
#else
    vstore16(best, 0, lanes);
#endif
    const int counted = valid_samples(tile, current[1]);
    predictions += (size_t)get_group_id(2) * stride + current[0] + tile * TILE;
    for (int lane = 0; lane < VW; lane++) {
        if (offset + lane < counted) predictions[offset + lane] = lanes[lane];
    }
}
