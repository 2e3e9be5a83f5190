// A step of mini-batch k-means after the assignment, kmeans_accumulate to kmeans_panels in one launch: sums and counts
// of every cluster's points in the batch, centroids [k][D] moved to the running mean of their points (the old one
// counts as weights[c] points, and the weight grows by the count), and their panels [panel][1 + D][R]. Point i is row
// indices[first_index + i] of rows [row][D]; points are added one after the other into sums [k][D] and what float32
// dropped from them [k][D].
//
// A work-group of GROUP work-items has `group_clusters` clusters, those of whole panels where it is one work-item; each
// work-item owns every GROUP-th dimension.
// Defines: D, R, GROUP.

#if GROUP == 1
#define SLOTS R
#else
#define SLOTS 1
#endif

GROUP_KERNEL void kmeans_accumulate_update(
    __global const float *rows, __global const int *indices, __global const int *labels, __global float *totals,
    __global int *counts, __global float *values, __global float *weights, __global float *panels,
    const int first_index, const int count, const int clusters, const int group_clusters) {
    const int lane = get_local_id(0);
    const int first = (int)get_group_id(0) * group_clusters;
    const int end = min(first + group_clusters, clusters);
    __global float *corrections = totals + clusters * D;
    for (int cluster = first; cluster < end; cluster++) {
        for (int dimension = lane; dimension < D; dimension += GROUP) {
            totals[cluster * D + dimension] = 0.0f;
            corrections[cluster * D + dimension] = 0.0f;
        }
        if (lane == 0) counts[cluster] = 0;
    }
    for (int point = 0; point < count; point++) {
        const int cluster = labels[point];
        if (cluster < first || cluster >= end) continue;
        __global const float *x = rows + (size_t)indices[first_index + point] * D;
        for (int dimension = lane; dimension < D; dimension += GROUP) {
            // Knuth's two-sum.
            const int element = cluster * D + dimension;
            const float sum = totals[element];
            const float next = sum + x[dimension];
            const float part = next - sum;
            corrections[element] += (sum - (next - part)) + (x[dimension] - part);
            totals[element] = next;
        }
        if (lane == 0) counts[cluster]++;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int cluster = first; cluster < end; cluster++) {
        const float added = convert_float(counts[cluster]);
        const float before = weights[cluster];
        if (!(added > 0.0f)) continue;
        for (int dimension = lane; dimension < D; dimension += GROUP) {
            const int element = cluster * D + dimension;
            const float sum = totals[element] + corrections[element];
            values[element] = (values[element] * before + sum) / (before + added);
        }
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int cluster = first + lane; cluster < end; cluster += GROUP) {
        weights[cluster] += convert_float(counts[cluster]);
    }
    // SLOTS centroids of a panel side by side, so that their sums do not wait for each other.
    for (int start = first + lane * SLOTS; start < end; start += GROUP * SLOTS) {
        const int panel = start / R;
        __global float *to = panels + (size_t)panel * (1 + D) * R + (start - panel * R);
        float square[SLOTS] = {0.0f};
        ONE_BY_ONE for (int dimension = 0; dimension < D; dimension++) {
            UNROLL for (int slot = 0; slot < SLOTS; slot++) {
                const float value = start + slot < end ? values[(start + slot) * D + dimension] : 0.0f;
                to[(1 + dimension) * R + slot] = value;
                square[slot] = fma(value, value, square[slot]);
            }
        }
        UNROLL for (int slot = 0; slot < SLOTS; slot++) {
            to[slot] = start + slot < end ? -0.5f * square[slot] : -INFINITY;
        }
    }
}
