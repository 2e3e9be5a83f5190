// output[i] = max(input[i], 0) for `count` vectors; a NaN passes. A work-item takes one vector.
__kernel void relu_forward(__global const float *restrict input, const int count, __global float *restrict output) {
    const int item = get_global_id(0);
    if (item < count) store_floatv(output, item, relu(load_floatv(input, item)));
}
