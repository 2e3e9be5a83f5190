#include "CLanes.h"

// The plainest set: the compiler's own target. Blocks of sums by the count of registers: 16 of 4 floats on x86-64,
// 32 on arm64.
#define VECTOR 4
#if defined(__aarch64__)
#define LEVEL_NAME "arm64"
#define BLOCK_A 6
#define BLOCK_B 4
#define IF_WIDE(code) code
#else
#define LEVEL_NAME "x86-64"
#define BLOCK_A 3
#define BLOCK_B 3
#define IF_WIDE(code)
#endif
#define LEVEL(name) name##_plain
#include "loops.h"

#if defined(__x86_64__)
// AVX2 and FMA: 16 registers of 8 floats.
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LEVEL_NAME "AVX2"
#define LEVEL(name) name##_avx2
#define VECTOR 8
#define BLOCK_A 4
#define BLOCK_B 3
#define IF_WIDE(code)
#include "loops.h"
#pragma clang attribute pop

// AVX-512: 32 registers of 16 floats.
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"), min_vector_width(512))), apply_to = function)
#define LEVEL_NAME "AVX-512"
#define LEVEL(name) name##_avx512
#define VECTOR 16
#define BLOCK_A 6
#define BLOCK_B 4
#define IF_WIDE(code) code
#include "loops.h"
#pragma clang attribute pop
#endif

size_t clanes_level_count(void) {
#if defined(__x86_64__)
    // Each feature by itself: older run-time libraries do not know the levels x86-64-v3 and -v4.
    const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (has_avx2 && has_avx512) return 3;
    if (has_avx2) return 2;
#endif
    return 1;
}

const clanes_loops *clanes_level(size_t index) {
#if defined(__x86_64__)
    if (index == 1) return &loops_avx2;
    if (index == 2) return &loops_avx512;
#endif
    (void)index;
    return &loops_plain;
}
