// output[i] = tanh(input[i]) for `count` vectors; a NaN passes. A work-item takes one vector.
//
// tanh(x) / x is a ratio of two polynomials in x * x, the minimax one of these degrees on [0, LIMIT]: 1e-9 off at most, as
// found by Remez's algorithm. No coefficient is negative, so that no sum cancels and every result is within 8 units of
// 2^-24 of the true one, whether multiply-adds are fused or not. Drivers' own functions differ by as much, and some of them
// take a lane at a time. CLanes has the same function.

// Beyond this the nearest float is 1.
#define LIMIT 9.02f

static inline floatv tanh_of(const floatv x) {
    const floatv size = fabs(x);
    const floatv square = size * size;
    floatv above = 5.0762404e-8f;
    above = above * square + 3.1589112e-5f;
    above = above * square + 4.0085111e-3f;
    above = above * square + 0.13785366f;
    above = above * square + 1;
    floatv below = 7.3744721e-10f;
    below = below * square + 1.6174894e-6f;
    below = below * square + 4.2074115e-4f;
    below = below * square + 2.7737520e-2f;
    below = below * square + 0.47118698f;
    below = below * square + 1;
    const floatv result = size * (above / below);
    return copysign(choose((size > LIMIT) | (result > 1), (floatv)1, result), x);
}

__kernel void tanh_forward(__global const float *restrict input, const int count, __global float *restrict output) {
    const int item = get_global_id(0);
    if (item < count) store_floatv(output, item, tanh_of(load_floatv(input, item)));
}
