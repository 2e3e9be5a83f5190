extension KernelSource {
    /// The names of the parameters of kernel `kernel` in `text`, its own file, in their order, for what the host defines.
    ///
    /// Not every driver tells them. Of the preprocessor this knows what kernels' parameter lists use: `#if NAME` with
    /// `#else` and `#endif`, and the macros of classifier_layers.clh.
    package static func parameters(of kernel: String, in text: String, defines: [(name: String, value: Int)])
        -> [String]
    {
        let values = Dictionary(defines.map { ($0.name, $0.value) }) { $1 }
        guard let start = text.firstRange(of: " void \(kernel)(") else { return [] }
        let list = text[start.upperBound...]
        guard let end = list.firstRange(of: ") {") else { return [] }
        var isTaken: [Bool] = []
        var declarations = ""
        for line in list[..<end.lowerBound].split(separator: "\n") {
            if line.hasPrefix("#if ") {
                isTaken.append(values[String(line.dropFirst(4)), default: 0] != 0)
            } else if line.hasPrefix("#else"), let last = isTaken.popLast() {
                isTaken.append(!last)
            } else if line.hasPrefix("#endif") {
                _ = isTaken.popLast()
            } else if isTaken.allSatisfy({ $0 }) {
                declarations += line + " "
            }
        }
        let layers = values["LAYERS", default: 0]
        func numbered(_ declaration: Substring, _ count: Int) -> String {
            (0..<max(count, 0)).map { "\(declaration)\($0 + 1)," }.joined()
        }
        declarations.replace(/EACH_LAYER\(([^()]*)\)/) { numbered($0.1, layers) }
        declarations.replace(/EACH_HIDDEN\(([^()]*)\)/) { numbered($0.1, layers - 1) }
        declarations.replace(/OF_LAST_LAYER\((\w*)\)/) { "\($0.1)\(layers)" }
        return declarations.split(separator: ",").compactMap {
            $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.last
        }
        .map(String.init)
    }
}
