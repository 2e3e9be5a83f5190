// What a network says of each valid sample of a batch of logits [r][t][class][s], at the sample's position in the order:
// statistics[r][statistic][first sample + position in batch]. Statistics: probability of the label; the label's logit less
// the largest other one; 1 where the largest logit, the lowest class on ties, is the label's, else 0. With ALL also the
// entropy of the probabilities in nats; the largest probability; that less the second largest; ||p - onehot(label)||
// (EL2N, Paul et al. 2021); and that times sqrt(1 + ||h||^2), the norm of the gradient with respect to the weights and
// biases of the last layer, whose input h is hidden [r][t][value][s] of `width` values.
//
// Of one class alone the margin is 0. A NaN among a sample's logits, or an infinite one that is the largest, makes all its
// statistics NaN but the third.
//
// A work-group takes one tile. Groups: (tile, 1, replica).
#include "softmax.clh"

#define STATISTICS (ALL ? 8 : 3)

// exp of anything below is 0 in float32. Without a limit, 0 times a difference that overflows would be NaN.
#define LEAST_EXPONENT -200.0f

TILE_KERNEL void sample_statistics(__global const float *restrict logits, __global const int *restrict labels,
                                   __global const int *restrict current, const int classes,
                                   __global const float *restrict hidden, const int width, const int stride,
                                   __global float *restrict statistics) {
    const int lane = get_local_id(0) * VW;
    current += 4 * get_group_id(2);
    const int counted = valid_samples(get_group_id(0), current[1]) - lane;
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    __global const float *column = logits + tile * classes * TILE + lane;
    const intv label = *(__global const intv *)(labels + tile * TILE + lane);
    const largest_t largest = largest_logit(column, classes);
    floatv second = -INFINITY;
    floatv own = 0;
    floatv own_power = 0;
    // Sums over the classes of e = exp(logit - largest).
    floatv sum = 0;
#if ALL
    // Of e times its exponent; of all but the label's e, and of the squares of those.
    floatv weighted = 0;
    floatv others = 0;
    floatv squares = 0;
#endif
    for (int class = 0; class < classes; class++) {
        const floatv value = VECTOR(column + class * TILE);
        second = choose((largest.class != class) & (value > second), value, second);
        const floatv gap = value - largest.value;
        // So that a NaN passes.
        const floatv exponent = choose(gap < LEAST_EXPONENT, (floatv)LEAST_EXPONENT, gap);
        const floatv power = exp(exponent);
        const intv is_own = label == class;
        own = choose(is_own, value, own);
        own_power = choose(is_own, power, own_power);
        sum += power;
#if ALL
        const floatv other = choose(is_own, (floatv)0, power);
        weighted += power * exponent;
        others += other;
        squares += other * other;
#endif
    }
    const intv is_right = label == largest.class;
    const floatv margin = classes > 1 ? own - choose(is_right, second, largest.value) : (floatv)0;
    __global float *target = statistics + (size_t)get_group_id(2) * STATISTICS * stride + current[0] +
                             get_group_id(0) * TILE + lane;
    put_samples(target, own_power / sum, counted);
    put_samples(target + (size_t)stride, choose(sum == sum, margin, sum), counted);
    put_samples(target + 2 * (size_t)stride, choose(is_right, (floatv)1, (floatv)0), counted);
#if ALL
    floatv length = 1;
    __global const float *values = hidden + tile * width * TILE + lane;
    for (int value = 0; value < width; value++) {
        const floatv h = VECTOR(values + (size_t)value * TILE);
        length += h * h;
    }
    // 1 - p of the label is the sum of the others, without cancellation.
    const floatv error = sqrt(others * others + squares) / sum;
    const floatv runner_up = classes > 1 ? exp(second - largest.value) : (floatv)0;
    put_samples(target + 3 * (size_t)stride, log(sum) - weighted / sum, counted);
    put_samples(target + 4 * (size_t)stride, 1 / sum, counted);
    put_samples(target + 5 * (size_t)stride, (1 - runner_up) / sum, counted);
    put_samples(target + 6 * (size_t)stride, error, counted);
    put_samples(target + 7 * (size_t)stride, error * sqrt(length), counted);
#endif
}
