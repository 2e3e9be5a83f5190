#include "COpenCL.h"

// The kernel files inside the program, in alphabetical order. A new file in Kernels/ needs one entry here: copy one,
// change the name in its two places.
static const cop_kernel_source sources[] = {
    {"adam_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/adam_step.cl" suffix(, 0)
    }},
    {"batch_norm_relu_pool_backward", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_relu_pool_backward.cl" suffix(, 0)
    }},
    {"batch_norm_relu_pool_backward_sums", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_relu_pool_backward_sums.cl" suffix(, 0)
    }},
    {"batch_norm_relu_pool_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_relu_pool_forward.cl" suffix(, 0)
    }},
    {"batch_norm_relu_pool_inference", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_relu_pool_inference.cl" suffix(, 0)
    }},
    {"batch_norm_statistics", (const char *)(const unsigned char[]){
#embed "../../Kernels/batch_norm_statistics.cl" suffix(, 0)
    }},
    {"begin_step", (const char *)(const unsigned char[]){
#embed "../../Kernels/begin_step.cl" suffix(, 0)
    }},
    {"centroids_gather", (const char *)(const unsigned char[]){
#embed "../../Kernels/centroids_gather.cl" suffix(, 0)
    }},
    {"classify", (const char *)(const unsigned char[]){
#embed "../../Kernels/classify.cl" suffix(, 0)
    }},
    {"common", (const char *)(const unsigned char[]){
#embed "../../Kernels/common.clh" suffix(, 0)
    }},
    {"conv2d_bias_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_bias_gradient.cl" suffix(, 0)
    }},
    {"conv2d_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_forward.cl" suffix(, 0)
    }},
    {"conv2d_input_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_input_gradient.cl" suffix(, 0)
    }},
    {"conv2d_weight_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/conv2d_weight_gradient.cl" suffix(, 0)
    }},
    {"copy", (const char *)(const unsigned char[]){
#embed "../../Kernels/copy.cl" suffix(, 0)
    }},
    {"covariance", (const char *)(const unsigned char[]){
#embed "../../Kernels/covariance.cl" suffix(, 0)
    }},
    {"fma_peak", (const char *)(const unsigned char[]){
#embed "../../Kernels/fma_peak.cl" suffix(, 0)
    }},
    {"gather_batch", (const char *)(const unsigned char[]){
#embed "../../Kernels/gather_batch.cl" suffix(, 0)
    }},
    {"kmeans_accumulate", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_accumulate.cl" suffix(, 0)
    }},
    {"kmeans_assign", (const char *)(const unsigned char[]){
#embed "../../Kernels/kmeans_assign.cl" suffix(, 0)
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
    {"linear_forward", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_forward.cl" suffix(, 0)
    }},
    {"linear_input_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_input_gradient.cl" suffix(, 0)
    }},
    {"linear_weight_gradient", (const char *)(const unsigned char[]){
#embed "../../Kernels/linear_weight_gradient.cl" suffix(, 0)
    }},
    {"pca_project", (const char *)(const unsigned char[]){
#embed "../../Kernels/pca_project.cl" suffix(, 0)
    }},
    {"points_gather", (const char *)(const unsigned char[]){
#embed "../../Kernels/points_gather.cl" suffix(, 0)
    }},
    {"points_pack", (const char *)(const unsigned char[]){
#embed "../../Kernels/points_pack.cl" suffix(, 0)
    }},
    {"softmax_cross_entropy", (const char *)(const unsigned char[]){
#embed "../../Kernels/softmax_cross_entropy.cl" suffix(, 0)
    }},
};

size_t cop_kernel_count(void) {
    return sizeof sources / sizeof sources[0];
}

const cop_kernel_source *cop_kernel_at(size_t index) {
    return index < cop_kernel_count() ? &sources[index] : NULL;
}
