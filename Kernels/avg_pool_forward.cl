// The means of windows of `side` x `side` values: output[r][t][channel][y][x][s] from input[r][t][channel][row][column][s]
// of `height` rows of `width` values. Rows and columns after the last whole window are left out.
//
// A member takes every row of windows that falls to it of all members of the work-groups that share a tile. Groups: (tile,
// share, replica).
TEAM_KERNEL void avg_pool_forward(__global const float *restrict input, const int channels, const int height,
                                  const int width, const int side, __global float *restrict output) {
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int lane = get_local_id(0) * VW;
    const int rows = height / side;
    const int columns = width / side;
    const float count = (float)side * side;
    input += tile * channels * height * width * TILE + lane;
    output += tile * channels * rows * columns * TILE + lane;
    for (int row = get_global_id(1); row < channels * rows; row += get_global_size(1)) {
        const int channel = row / rows;
        const int first = (row - channel * rows) * side;
        __global const float *corner = input + ((size_t)channel * height + first) * width * TILE;
        for (int column = 0; column < columns; column++) {
            floatv sum = 0;
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) sum += VECTOR(corner + ((size_t)y * width + x) * TILE);
            }
            VECTOR_OUT(output + ((size_t)row * columns + column) * TILE) = sum / count;
            corner += side * TILE;
        }
    }
}
