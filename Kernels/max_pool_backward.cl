// The gradient of a max pool's input [r][t][channel][row][column][s] from that of its output [r][t][channel][y][x][s]: the
// output's where a value won its window, which winners of the output's shape say, 0 elsewhere.
//
// A member takes every band of `side` input rows that falls to it of all members of the work-groups that share a tile.
// Groups: (tile, share, replica).
TEAM_KERNEL void max_pool_backward(__global const float *restrict output_gradient, __global const int *restrict winners,
                                   const int channels, const int height, const int width, const int side,
                                   __global float *restrict input_gradient) {
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int lane = get_local_id(0) * VW;
    const int rows = height / side;
    const int columns = width / side;
    const int bands = COUNT_CEIL(height, side);
    output_gradient += tile * channels * rows * columns * TILE + lane;
    winners += tile * channels * rows * columns * TILE + lane;
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
            const floatv gradient = VECTOR(output_gradient + place * TILE);
            const intv winner = *(__global const intv *)(winners + place * TILE);
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    VECTOR_OUT(target + ((size_t)y * width + window * side + x) * TILE) =
                        choose(winner == y * side + x, gradient, (floatv)0);
                }
            }
        }
        for (int y = 0; y < band_rows; y++) {
            for (int x = windows * side; x < width; x++) VECTOR_OUT(target + ((size_t)y * width + x) * TILE) = 0;
        }
    }
}
