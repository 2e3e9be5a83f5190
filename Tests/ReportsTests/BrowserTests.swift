import Foundation
import Testing

@testable import Reports

/// A browser to open pages in.
private let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
}

/// What a page says of itself once it stands in a window.
private struct PageCheck: Decodable {
    struct Picture: Decodable {
        var name: String
        var width: Double
        var height: Double
        var isWhole: Bool
        var label: String
    }
    var width: Double
    /// What would make the page scroll sideways.
    var contentWidth: Double
    var errors: [String]
    /// What was asked for beyond the page itself.
    var requests: [String]
    var pictures: [Picture]
    var headings: [Int]
    /// The values of the column "Median %" as they came, after one click and after two.
    var medians: [[Double]]
    /// `aria-sort` after each.
    var orders: [String]
    /// The verdicts after a click on their column, by which cells without one are at the end.
    var verdicts: [String]
    /// The names of what the Tab key reaches in the table's head.
    var focusable: Int
    var filtered: [String]
    var smallestLetters: Double
}

@Suite(.serialized) struct BrowserTests {
    /// Runs in the page: everything is written into an element that the test finds again.
    private static let script = """
        <script>
        const errors = [];
        addEventListener("error", (event) => errors.push(String(event.message)));
        addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
        for (const level of ["error", "warn"]) console[level] = (...words) => errors.push(words.join(" "));
        addEventListener("load", () => {
          const table = document.querySelector("table.cases");
          const cells = (column) => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());
          const headers = [...table.querySelectorAll(".names th")];
          const median = headers.findIndex((header) => header.textContent.trim() === "Median %");
          const verdict = headers.findIndex((header) => header.textContent.trim() === "Verdict");
          const medians = [cells(median).map(Number)];
          const orders = [headers[median].getAttribute("aria-sort")];
          for (let click = 0; click < 2; click++) {
            headers[median].querySelector("button").focus();
            document.activeElement.click();
            medians.push(cells(median).map(Number));
            orders.push(headers[median].getAttribute("aria-sort"));
          }
          headers[verdict].querySelector("button").click();
          orders.push(headers[median].getAttribute("aria-sort"), headers[verdict].getAttribute("aria-sort"));
          const verdicts = cells(verdict);
          const input = document.querySelector(".filter input");
          input.value = "closest";
          input.dispatchEvent(new Event("input"));
          const filtered = [...table.tBodies[0].rows].filter((row) => row.offsetHeight > 0)
            .map((row) => row.cells[0].textContent);
          input.value = "";
          input.dispatchEvent(new Event("input"));
          const pictures = [...document.querySelectorAll("img, svg")].map((picture) => {
            const box = picture.getBoundingClientRect();
            return {
              name: picture.closest("figure").querySelector("figcaption").textContent, width: box.width,
              height: box.height,
              isWhole: picture.tagName === "IMG"
                ? picture.complete && picture.naturalWidth > 0 : picture.getBBox().width > 0,
              label: picture.getAttribute("alt") ?? picture.getAttribute("aria-label") ?? "",
            };
          });
          const letters = [...document.querySelectorAll("svg text")].map((text) => {
            const scale = text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(text).fontSize) * scale;
          });
          parent.postMessage(JSON.stringify({
            width: innerWidth, contentWidth: document.documentElement.scrollWidth, errors, pictures, medians, orders,
            verdicts, filtered,
            requests: performance.getEntriesByType("resource").map((entry) => entry.name)
              .filter((name) => !name.startsWith("data:")),
            headings: [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
            focusable: headers.filter((header) => header.querySelector("button").tabIndex === 0).length,
            smallestLetters: Math.min(...letters),
          }), "*");
        });
        </script>
        """

    /// Shows the page as wide as asked, which a window cannot be on its own: Chromium's are 500 pixels wide at least.
    private static func frame(width: Int) -> String {
        """
        <!doctype html><iframe src="page.html" style="width: \(width)px; height: 900px; border: 0"></iframe><script>
        addEventListener("message", (event) => {
          const result = document.createElement("script");
          result.type = "application/json";
          result.id = "check";
          result.textContent = event.data;
          document.body.append(result);
        });
        </script>
        """
    }

    private static func check(_ page: String, width: Int) throws -> PageCheck {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("page.html")
        try page.replacing("<head>", with: "<head>" + script, maxReplacements: 1)
            .write(to: file, atomically: true, encoding: .utf8)
        let frame = folder.appendingPathComponent("frame.html")
        try Self.frame(width: width).write(to: frame, atomically: true, encoding: .utf8)
        let (out, err) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        for path in [out, err] { try Data().write(to: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = [
            "120", try #require(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--user-data-dir=\(folder.path)/profile", "--window-size=1600,1000", "--virtual-time-budget=5000",
            "--enable-logging=stderr", "--dump-dom", frame.absoluteString,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        process.waitUntilExit()
        let log = try String(contentsOf: err, encoding: .utf8)
        let dom = try String(contentsOf: out, encoding: .utf8)
        let start = try #require(
            dom.range(of: "<script type=\"application/json\" id=\"check\">"), "the page's script did not end: \(log)")
        let end = try #require(dom.range(of: "</script>", range: start.upperBound..<dom.endIndex))
        var check = try JSONDecoder().decode(
            PageCheck.self, from: Data(dom[start.upperBound..<end.lowerBound].utf8))
        check.errors += log.split(separator: "\n").map(String.init).filter { $0.contains("CONSOLE") }
        return check
    }

    @Test(
        .enabled(if: chromium != nil, "Chromium is not installed (Debian: chromium)"),
        .enabled(if: hasGnuplot, "gnuplot is not installed (Debian: gnuplot-nox)"), arguments: [360, 900, 1440])
    func aPageWorksInABrowser(width: Int) async throws {
        let study = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let (page, _) = try await study.report()
        let check = try Self.check(page, width: width)
        #expect(check.width == Double(width))
        #expect(check.errors.isEmpty)
        #expect(check.requests.isEmpty)
        #expect(check.contentWidth <= Double(width), "the page scrolls sideways")
        #expect(check.pictures.count == 17)
        for picture in check.pictures {
            #expect(picture.isWhole && picture.width > 150 && picture.height > 25, "\(picture)")
            #expect(picture.width <= Double(width) && picture.label.count > 20, "\(picture)")
        }
        // On a phone pictures shrink; what is written in them must not vanish.
        #expect(check.smallestLetters > 6)
        #expect(check.headings.first == 1 && check.headings.count { $0 == 1 } == 1)
        for (one, next) in zip(check.headings, check.headings.dropFirst()) { #expect(next <= one + 1) }

        #expect(check.medians[0].count == 19 && check.medians[0] != check.medians[0].sorted())
        #expect(check.medians[1] == check.medians[0].sorted())
        #expect(check.medians[2] == check.medians[0].sorted(by: >))
        #expect(check.orders == ["none", "ascending", "descending", "none", "ascending"])
        #expect(check.verdicts.last == "" && check.verdicts.count { $0 == "" } == 1)
        #expect(check.focusable == 19)
        #expect(check.filtered.count == 4 && check.filtered.allSatisfy { $0.hasPrefix("closest") })
    }
}
