// The gradient of an average pool's input [r][t][channel][row][column][s] from that of its output [r][t][channel][y][x][s]:
// a share of 1 / side^2 for each value of a window, 0 for the rows and columns after the last whole window.
//
// A member takes every band of `side` input rows that falls to it of all members of the work-groups that share a tile.
// Groups: (tile, share, replica).
TEAM_KERNEL void avg_pool_backward(__global const float *restrict output_gradient, const int channels, const int height,
                                   const int width, const int side, __global float *restrict input_gradient) {
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int lane = get_local_id(0) * VW;
    const int rows = height / side;
    const int columns = width / side;
    const int bands = COUNT_CEIL(height, side);
    const float count = (float)side * side;
    output_gradient += tile * channels * rows * columns * TILE + lane;
    input_gradient += tile * channels * height * width * TILE + lane;
    for (int band = get_global_id(1); band < channels * bands; band += get_global_size(1)) {
        const int channel = band / bands;
        const int row = band - channel * bands;
        const int band_rows = min(side, height - row * side);
        // None in the rows after the last whole window.
        const int windows = row < rows ? columns : 0;
        __global float *target = input_gradient + ((size_t)channel * height + row * side) * width * TILE;
        for (int window = 0; window < windows; window++) {
            const size_t place = ((size_t)channel * rows + row) * columns + window;
            const floatv share = VECTOR(output_gradient + place * TILE) / count;
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    VECTOR_OUT(target + ((size_t)y * width + window * side + x) * TILE) = share;
                }
            }
        }
        for (int y = 0; y < band_rows; y++) {
            for (int x = windows * side; x < width; x++) VECTOR_OUT(target + ((size_t)y * width + x) * TILE) = 0;
        }
    }
}
