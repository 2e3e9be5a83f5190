/// The work-group of a product of matrices on a GPU, as Kernels/block_products.clh has it: each work-item sums the products
/// of 8 columns of x and 8 of w.
struct ProductBlock {
    /// X_ITEMS: work-items side by side over the columns of x; 2, 4, 8 or 16.
    let xItems: Int
    /// W_ITEMS: the same over the columns of w.
    let wItems: Int

    /// Columns of x per work-group.
    var xColumns: Int { 8 * xItems }
    /// Columns of w that a work-group takes at a time.
    var wColumns: Int { 8 * wItems }
}

extension OpenCLBackend {
    /// Queues a kernel over the work-groups that `columns` columns of x need, `times` times.
    func launch(
        _ kernel: String, _ defines: [(String, Int)], _ arguments: [KernelArgument], _ block: ProductBlock,
        columns: Int, times: Int = 1
    ) throws(ComputeError) {
        let items = block.xItems * block.wItems
        let groups = (columns + block.xColumns - 1) / block.xColumns
        try launch(
            kernel, defines + [("X_ITEMS", block.xItems), ("W_ITEMS", block.wItems)], arguments,
            global: [groups * items, times], local: [items, 1])
    }
}
