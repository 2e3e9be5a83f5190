import Foundation
import Support

/// The three lines of Python that use what `select` wrote.
struct PythonLines {
    /// The rows that were selected from.
    enum Samples {
        /// The file of `--features`.
        case matrix(String)
        /// IDX images, of this size.
        case idx(String, isCompressed: Bool, height: Int, width: Int)
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
            case .matrix(let path):
                return ["import numpy as np", "kept = \(kept)", "X = \(Self.rows(of: path))[kept]"]
            case .idx(let path, let isCompressed, let height, let width):
                let bytes =
                    isCompressed
                    ? "np.frombuffer(gzip.open(\(Self.literal(path))).read(), np.uint8, offset=16)"
                    : "np.fromfile(\(Self.literal(path)), np.uint8, offset=16)"
                return [
                    isCompressed ? "import gzip, numpy as np" : "import numpy as np", "kept = \(kept)",
                    "images = \(bytes).reshape(-1, \(height), \(width))[kept]",
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
        // Lines end with b"\n" in files that are open as bytes, and with more than that in those of text.
        let reading =
            areJSON
            ? "rows = [json.loads(line) for line in open(\(Self.literal(lines)), \"rb\")]"
            : "ids = [os.fsdecode(line.rstrip(b\"\\r\\n\")) for line in open(\(Self.literal(lines)), \"rb\")]"
        let module = areJSON ? "json" : "os"
        guard case .matrix(let path) = samples else {
            return ["import \(module)", reading, areJSON ? "print(len(rows), rows[0])" : "print(len(ids), ids[0])"]
        }
        return ["import \(module), numpy as np", "X = \(Self.rows(of: path))[\(kept)]", reading]
    }

    private static func rows(of path: String) -> String { "np.load(\(literal(path)), mmap_mode=\"r\")" }

    /// A string of Python: those of JSON are that too.
    static func literal(_ text: String) -> String { (try? JSON.text(text)) ?? "\"\"" }
}
