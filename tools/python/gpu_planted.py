"""Programs of which it is known what their machine code has: if that is not found, nothing else that is read can be trusted."""

# Every accumulator is alive through the loop; a work-group of 1024 leaves each work-item 64 registers.
SPILL = """
#define N 300
__kernel __attribute__((reqd_work_group_size(1024, 1, 1))) void planted(__global float *v, const int steps) {
    float a[N];
    _Pragma("unroll") for (int i = 0; i < N; i++) a[i] = v[i * 1024 + get_local_id(0)];
    for (int s = 0; s < steps; s++) {
        _Pragma("unroll") for (int i = 0; i < N; i++) a[i] = a[i] * a[(i + 7) % N] + a[(i + 1) % N];
    }
    _Pragma("unroll") for (int i = 0; i < N; i++) v[i * 1024 + get_local_id(0)] = a[i];
}
"""

# Two nested loops. The inner one has 16 multiply-adds, a load of 4 bytes by neighbours, one of 16 bytes that all lanes read
# from one address, and two of 16 bytes from local memory; the outer one 1 multiply-add, a barrier, and a store by
# lanes that are 8 bytes apart.
LOOP = """
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void planted(
    __global float *restrict out, __global const float *restrict x, __global const float4 *restrict w, const int steps) {
    __local float4 tile[512];
    const int lane = (int)get_local_id(0);
    float a[4] = {0, 0, 0, 0}, b[4] = {0, 0, 0, 0}, c[4] = {0, 0, 0, 0},
          d[4] = {0, 0, 0, 0};
    float last = x[lane];
    tile[lane] = w[lane];
    tile[128 + lane] = w[128 + lane];
    tile[256 + lane] = w[256 + lane];
    tile[384 + lane] = w[384 + lane];
    #pragma unroll 1
    for (int s = 0; s < steps; s++) {
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll 1
        for (int t = 0; t < steps; t++) {
            const float p = x[t * 128 + lane];
            const float4 q = w[t], r = tile[(t & 1) * 128 + lane], u = tile[(t & 1) * 128 + 256 + lane];
            a[0] = fma(p, q.x, a[0]); a[1] = fma(p, q.y, a[1]); a[2] = fma(p, q.z, a[2]); a[3] = fma(p, q.w, a[3]);
            b[0] = fma(p, r.x, b[0]); b[1] = fma(p, r.y, b[1]); b[2] = fma(p, r.z, b[2]); b[3] = fma(p, r.w, b[3]);
            c[0] = fma(q.x, r.x, c[0]); c[1] = fma(q.y, r.y, c[1]); c[2] = fma(q.z, r.z, c[2]); c[3] = fma(q.w, r.w, c[3]);
            d[0] = fma(q.x, u.x, d[0]); d[1] = fma(q.y, u.y, d[1]); d[2] = fma(q.z, u.z, d[2]); d[3] = fma(q.w, u.w, d[3]);
        }
        last = fma(last, a[0], b[0]);
        out[(s * 128 + lane) * 2] = last;
    }
    out[lane] = a[1] + a[2] + a[3] + b[1] + b[2] + b[3] + c[0] + c[1] + c[2] + c[3] + d[0] + d[1] + d[2] + d[3];
}
"""
LOCAL = [128, 1, 1]

# Kinds of the inner loop that are counted, per vendor. On AMD a scalar unit reads what all lanes read.
EXPECTED = {
    "NVIDIA": {"fma": 16, "load 4": 1, "load 16 uniform": 1, "local load 16": 2, "branch": 1},
    "AMD": {"fma": 16, "load 4": 1, "scalar load 16 uniform": 1, "local load 16": 2, "branch": 1},
    "Intel": {"fma": 16, "load 4": 1, "load 16 uniform": 1, "local load 16": 2, "branch": 1},
}
# The outer loop's.
AROUND = {
    "NVIDIA": {"fma": 1, "store 4": 1, "barrier": 1},
    "AMD": {"fma": 1, "store 4": 1, "barrier": 1},
    "Intel": {"fma": 1, "store 4": 1, "barrier": 1},
}
# 16 multiply-adds take an H100's multiprocessor 4 cycles per warp; the accesses 1, 1, 4 and 4. They take a compute unit of
# CDNA 2 and of RDNA 2 8 cycles per wave, its local memory 8 cycles each and 4 each.
BOUNDS = {"sm_90": {"global": 1.0, "local": 0.5, "bound": 0.4}, "gfx90a": {"local": 0.5}, "gfx1030": {"local": 1.0}}


def faults(vendor: str, found: dict[str, dict]) -> list[str]:
    """Sentences on what is wrong in {target: results} of the planted loop."""
    wrong = []
    for target, result in found.items():
        if not result["code"]:
            continue
        hot = result["code"]["hot"]
        loops = {loop["depth"]: loop for loop in result["code"]["loops"]}
        for depth, expected in ((2, EXPECTED[vendor]), (1, AROUND[vendor])):
            mix = loops[depth]["mix"] if depth in loops else {}
            counted = {kind: number for kind, number in mix.items() if kind in expected or kind == "fma" or "scalar" not in kind
                       and ("load" in kind or "store" in kind)}
            if counted != expected:
                wrong.append(f"{target}: a planted loop of depth {depth} has {expected}, and {counted} were counted")
        # Only NVIDIA's addresses are followed.
        if vendor == "NVIDIA" and 1 in loops and loops[1]["coalesced"] != 0.5:
            wrong.append(f"{target}: lanes of a planted store are 8 bytes apart, and {loops[1]['coalesced']:.0%} of its sectors "
                         "were taken to be used")
        if hot["depth"] != 2:
            wrong.append(f"{target}: the hot loop of two planted ones was taken to be of depth {hot['depth']}")
        wrong += [f"{target}: the planted loop's {part} bound is {share:.0%}, and {hot['bounds'][part]:.0%} was computed"
                  for part, share in BOUNDS.get(target, {}).items() if abs(hot["bounds"][part] - share) > 0.001]
    return wrong
