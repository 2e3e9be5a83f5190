import Datasets
import Support

/// The three lines of Python that use what `select` wrote.
struct PythonLines {
    /// The rows that were selected from.
    enum Samples {
        /// What `--features` names, one after the other.
        case matrix([String])
        /// IDX images, of this size in their file; whether rows and columns are exchanged after that.
        case idx(String, isCompressed: Bool, height: Int, width: Int, isTransposed: Bool)
        /// A data set in another format.
        case dataset
        /// Whatever was clustered.
        case unknown
    }

    var samples: Samples
    /// The file of indices.
    var kept: String
    /// The lines of what was kept; nil without ids.
    var lines: String?
    /// Whether these are JSONL.
    var areJSON = false
    /// The folder that the lines are paths in; nil for other lines.
    var folder: String?
    /// The folder of links.
    var link: String?

    /// Three lines; those of the links, of the ids, or of the indices alone.
    var text: [String] {
        if let link {
            return [
                "from torchvision.datasets import ImageFolder", "train = ImageFolder(\(Self.literal(link)))",
                "print(len(train), \"images of\", len(train.classes), \"classes\")",
            ]
        }
        let kept = "np.load(\(Self.literal(kept)))"
        guard let lines else {
            switch samples {
            case .matrix(let paths):
                let rows = Rows(paths)
                return [
                    "import \(rows.modules("numpy as np"))", "kept = \(kept)", "X = \(rows.expression)[kept]",
                ]
            case .idx(let path, let isCompressed, let height, let width, let isTransposed):
                let bytes =
                    isCompressed
                    ? "np.frombuffer(gzip.open(\(Self.literal(path))).read(), np.uint8, offset=16)"
                    : "np.fromfile(\(Self.literal(path)), np.uint8, offset=16)"
                return [
                    isCompressed ? "import gzip, numpy as np" : "import numpy as np", "kept = \(kept)",
                    "images = \(bytes).reshape(-1, \(height), \(width))[kept]"
                        + (isTransposed ? ".transpose(0, 2, 1)" : ""),
                ]
            case .dataset:
                return [
                    "import numpy as np", "from torch.utils.data import Subset",
                    "train = Subset(train, \(kept))  # train: the whole training set",
                ]
            case .unknown:
                return ["import numpy as np", "kept = \(kept)", "X = X[kept]  # X: the rows that were clustered"]
            }
        }
        if let folder {
            return [
                "import os",
                "paths = [os.path.join(\(Self.literal(folder)), os.fsdecode(line[:-1])) for line in open(\(Self.literal(lines)), \"rb\")]",
                "print(len(paths), paths[0])",
            ]
        }
        // Lines end with b"\n" in files that are open as bytes, and with more than that in those of text.
        let reading =
            areJSON
            ? "rows = [json.loads(line) for line in open(\(Self.literal(lines)), \"rb\")]"
            : "ids = [os.fsdecode(line.rstrip(b\"\\r\\n\")) for line in open(\(Self.literal(lines)), \"rb\")]"
        let module = areJSON ? "json" : "os"
        guard case .matrix(let paths) = samples else {
            return ["import \(module)", reading, areJSON ? "print(len(rows), rows[0])" : "print(len(ids), ids[0])"]
        }
        let rows = Rows(paths)
        return ["import \(rows.modules("\(module), numpy as np"))", "X = \(rows.expression)[\(kept)]", reading]
    }

    /// The rows of matrices, in Python.
    private struct Rows {
        /// The matrix that the rows of all are.
        let expression: String
        private let hasPatterns: Bool
        private let hasTensors: Bool

        init(_ paths: [String]) {
            var (parts, hasPatterns, hasTensors): ([String], Bool, Bool) = ([], false, false)
            for path in paths {
                switch MatrixName(path) {
                case .array(let file, let name): parts.append("np.load(\(literal(file)))[\(literal(name))]")
                case .tensor(let file, let name):
                    parts.append("load_file(\(literal(file)))[\(literal(name))]")
                    hasTensors = true
                case .folder:
                    parts.append(Self.shards(Self.pattern(ofFolder: path)))
                    hasPatterns = true
                case .pattern:
                    parts.append(Self.shards(path))
                    hasPatterns = true
                case .file: parts.append("np.load(\(literal(path)), mmap_mode=\"r\")")
                }
            }
            expression =
                parts.count == 1 && !hasPatterns ? parts[0] : "np.concatenate([\(parts.joined(separator: ", "))])"
            (self.hasPatterns, self.hasTensors) = (hasPatterns, hasTensors)
        }

        /// What is imported, beside `others`.
        func modules(_ others: String) -> String {
            (hasPatterns ? "glob, " : "") + others
                + (hasTensors ? "; from safetensors.numpy import load_file" : "")
        }

        private static func shards(_ pattern: String) -> String {
            "*[np.load(name) for name in sorted(glob.glob(\(literal(pattern))))]"
        }

        /// The pattern of the files that are read of a folder.
        private static func pattern(ofFolder path: String) -> String {
            let escaped = path.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
            return escaped + (path.hasSuffix("/") ? "" : "/") + "*.npy"
        }
    }

    /// A string of Python: those of JSON are that too.
    static func literal(_ text: String) -> String { (try? JSON.text(text)) ?? "\"\"" }
}
