// The largest values of windows of `side` x `side` values, output[r][t][channel][y][x][s] from
// input[r][t][channel][row][column][s] of `height` rows of `width` values, and their places in the window in winners of the
// output's shape, row by row: the first of equals, and the first NaN. Rows and columns after the last whole window are left
// out.
//
// A member takes every row of windows that falls to it of all members of the work-groups that share a tile. Groups: (tile,
// share, replica).
TEAM_KERNEL void max_pool_forward(__global const float *restrict input, const int channels, const int height,
                                  const int width, const int side, __global float *restrict output,
                                  __global int *restrict winners) {
    const size_t tile = (size_t)get_group_id(2) * get_num_groups(0) + get_group_id(0);
    const int lane = get_local_id(0) * VW;
    const int rows = height / side;
    const int columns = width / side;
    input += tile * channels * height * width * TILE + lane;
    output += tile * channels * rows * columns * TILE + lane;
    winners += tile * channels * rows * columns * TILE + lane;
    for (int row = get_global_id(1); row < channels * rows; row += get_global_size(1)) {
        const int channel = row / rows;
        const int first = (row - channel * rows) * side;
        __global const float *corner = input + ((size_t)channel * height + first) * width * TILE;
        for (int column = 0; column < columns; column++) {
            floatv largest = VECTOR(corner);
            intv winner = 0;
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    const floatv value = VECTOR(corner + ((size_t)y * width + x) * TILE);
                    // Not value > largest: the first NaN must win.
                    const intv wins = !(value <= largest) & (largest == largest);
                    largest = choose(wins, value, largest);
                    winner = choose_int(wins, (intv)(y * side + x), winner);
                }
            }
            VECTOR_OUT(output + ((size_t)row * columns + column) * TILE) = largest;
            *(__global intv *)(winners + ((size_t)row * columns + column) * TILE) = winner;
            corner += side * TILE;
        }
    }
}
