#include "COpenCL.h"

// The kernel files inside the program, in alphabetical order. A new file in Kernels/ needs one entry here: copy one,
// change the name in its two places.
static const cop_kernel_source sources[] = {
    {"adam_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/adam_step.cl" suffix(, 0)
    }},
    {"augmentation", (const char *)(const unsigned char[]){
#embed "../../Kernels/augmentation.clh" suffix(, 0)
    }},
    {"avg_pool_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/avg_pool_backward.cl" suffix(, 0)
    }},
    {"avg_pool_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/avg_pool_forward.cl" suffix(, 0)
    }},
    {"batch_norm", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm.clh" suffix(, 0)
    }},
    {"batch_norm_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_backward.cl" suffix(, 0)
    }},
    {"batch_norm_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_forward.cl" suffix(, 0)
    }},
    {"begin_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/begin_step.clh" suffix(, 0)
    }},
    {"block_statistics", (const char *)(const unsigned char[]){
#embed "../../Kernels/block_statistics.clh" suffix(, 0)
    }},
    {"centroids_gather", (const char *)(const unsigned char[]){
#embed "../../Kernels/centroids_gather.cl" suffix(, 0)
    }},
    {"classifier_layers", (const char *)(const unsigned char[]){
#embed "../../Kernels/classifier_layers.clh" suffix(, 0)
    }},
    {"classifier_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/classifier_step.cl" suffix(, 0)
    }},
    {"coarse_candidates", (const char *)(const unsigned char[]){
#embed "../../Kernels/coarse_candidates.clh" suffix(, 0)
    }},
    {"coarse_panels", (const char *)(const unsigned char[]){
#embed "../../Kernels/coarse_panels.clh" suffix(, 0)
    }},
    {"coarse_search", (const char *)(const unsigned char[]){
#embed "../../Kernels/coarse_search.clh" suffix(, 0)
    }},
    {"common", (const char *)(const unsigned char[]){
#embed "../../Kernels/common.clh" suffix(, 0)
    }},
    {"conv2d_block_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_block_backward.cl" suffix(, 0)
    }},
    {"conv2d_block_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_block_forward.cl" suffix(, 0)
    }},
    {"conv2d_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_forward.cl" suffix(, 0)
    }},
    {"conv2d_input_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_input_gradient.cl" suffix(, 0)
    }},
    {"conv2d_kernel_gradients", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_kernel_gradients.cl" suffix(, 0)
    }},
    {"conv2d_weight_gradients", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_weight_gradients.cl" suffix(, 0)
    }},
    {"copy", (const char *)(const unsigned char[]){
#embed "../../Kernels/copy.cl" suffix(, 0)
    }},
    {"covariance", (const char *)(const unsigned char[]){
#embed "../../Kernels/covariance.cl" suffix(, 0)
    }},
    {"early_exit", (const char *)(const unsigned char[]){
#embed "../../Kernels/early_exit.clh" suffix(, 0)
    }},
    {"fma_peak", (const char *)(const unsigned char[]){
#embed "../../Kernels/fma_peak.cl" suffix(, 0)
    }},
    {"gather", (const char *)(const unsigned char[]){
#embed "../../Kernels/gather.clh" suffix(, 0)
    }},
    {"gather_samples", (const char *)(const unsigned char[]){
#embed "../../Kernels/gather_samples.cl" suffix(, 0)
    }},
    {"greedy_distances", (const char *)(const unsigned char[]){
#embed "../../Kernels/greedy_distances.cl" suffix(, 0)
    }},
    {"greedy_pick", (const char *)(const unsigned char[]){
#embed "../../Kernels/greedy_pick.cl" suffix(, 0)
    }},
    {"group_sum", (const char *)(const unsigned char[]){
#embed "../../Kernels/group_sum.clh" suffix(, 0)
    }},
    {"kmeans_accumulate", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_accumulate.cl" suffix(, 0)
    }},
    {"kmeans_accumulate_update", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_accumulate_update.cl" suffix(, 0)
    }},
    {"kmeans_assign", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_assign.cl" suffix(, 0)
    }},
    {"kmeans_coarse", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_coarse.cl" suffix(, 0)
    }},
    {"kmeans_panels", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_panels.cl" suffix(, 0)
    }},
    {"kmeans_plus_plus_distances", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_plus_plus_distances.cl" suffix(, 0)
    }},
    {"kmeans_plus_plus_pick", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_plus_plus_pick.cl" suffix(, 0)
    }},
    {"kmeans_reduce", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_reduce.cl" suffix(, 0)
    }},
    {"kmeans_update", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_update.cl" suffix(, 0)
    }},
    {"largest_key", (const char *)(const unsigned char[]){
#embed "../../Kernels/largest_key.clh" suffix(, 0)
    }},
    {"linear", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear.clh" suffix(, 0)
    }},
    {"linear_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_forward.cl" suffix(, 0)
    }},
    {"linear_gradients", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_gradients.clh" suffix(, 0)
    }},
    {"linear_input_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_input_gradient.cl" suffix(, 0)
    }},
    {"linear_weight_gradients", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_weight_gradients.cl" suffix(, 0)
    }},
    {"max_pool_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/max_pool_backward.cl" suffix(, 0)
    }},
    {"max_pool_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/max_pool_forward.cl" suffix(, 0)
    }},
    {"mean_squared_error", (const char *)(const unsigned char[]){
#embed "../../Kernels/mean_squared_error.cl" suffix(, 0)
    }},
    {"packed_columns", (const char *)(const unsigned char[]){
#embed "../../Kernels/packed_columns.clh" suffix(, 0)
    }},
    {"pca_project", (const char *)(const unsigned char[]){
#embed "../../Kernels/pca_project.cl" suffix(, 0)
    }},
    {"planes", (const char *)(const unsigned char[]){
#embed "../../Kernels/planes.clh" suffix(, 0)
    }},
    {"points_gather", (const char *)(const unsigned char[]){
#embed "../../Kernels/points_gather.cl" suffix(, 0)
    }},
    {"points_pack", (const char *)(const unsigned char[]){
#embed "../../Kernels/points_pack.cl" suffix(, 0)
    }},
    {"points_unpack", (const char *)(const unsigned char[]){
#embed "../../Kernels/points_unpack.cl" suffix(, 0)
    }},
    {"predict_classes", (const char *)(const unsigned char[]){
#embed "../../Kernels/predict_classes.cl" suffix(, 0)
    }},
    {"relu_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/relu_backward.cl" suffix(, 0)
    }},
    {"relu_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/relu_forward.cl" suffix(, 0)
    }},
    {"sample_statistics", (const char *)(const unsigned char[]){
#embed "../../Kernels/sample_statistics.cl" suffix(, 0)
    }},
    {"sgd_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/sgd_step.cl" suffix(, 0)
    }},
    {"softmax", (const char *)(const unsigned char[]){
#embed "../../Kernels/softmax.clh" suffix(, 0)
    }},
    {"softmax_cross_entropy", (const char *)(const unsigned char[]){
#embed "../../Kernels/softmax_cross_entropy.cl" suffix(, 0)
    }},
    {"step_end", (const char *)(const unsigned char[]){
#embed "../../Kernels/step_end.clh" suffix(, 0)
    }},
    {"strips", (const char *)(const unsigned char[]){
#embed "../../Kernels/strips.clh" suffix(, 0)
    }},
    {"tanh_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/tanh_backward.cl" suffix(, 0)
    }},
    {"tanh_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/tanh_forward.cl" suffix(, 0)
    }},
    {"weight_gradients", (const char *)(const unsigned char[]){
#embed "../../Kernels/weight_gradients.clh" suffix(, 0)
    }},
};

size_t cop_kernel_count(void) {
    return sizeof sources / sizeof sources[0];
}

const cop_kernel_source *cop_kernel_at(size_t index) {
    return index < cop_kernel_count() ? &sources[index] : NULL;
}
