// target[i] = source[i], to measure the bandwidth of a device's memory. A work-item takes one vector: four floats
// where VW is 1, since wide loads need fewer of them in flight.
#if VW == 1
typedef float4 copied;
#else
typedef floatv copied;
#endif

__kernel void copy(__global const float *restrict source, __global float *restrict target) {
    const int item = get_global_id(0);
    ((__global copied *)target)[item] = ((__global const copied *)source)[item];
}
