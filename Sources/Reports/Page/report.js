"use strict";
// Tables sort by the column whose name is clicked; cells without a value stay at the end either way.
for (const table of document.querySelectorAll("table.cases")) {
  const body = table.tBodies[0];
  const headers = [...table.querySelectorAll(".names th")];
  const number = (text) => {
    const found = /[-+\u2212]?[\d,]*\.?\d+/.exec(text);
    return found ? Number(found[0].replaceAll(",", "").replace("\u2212", "-")) - (text.startsWith("<") ? 1e-9 : 0) : NaN;
  };
  const words = new Set(["Case", "Verdict"]);
  const sort = (column, ascending) => {
    const isText = words.has(headers[column].textContent.trim());
    const rows = [...body.rows].map((row) => {
      const text = row.cells[column].textContent.trim();
      return { row, text, value: isText ? text : number(text), isMissing: text === "" };
    });
    rows.sort((a, b) => {
      if (a.isMissing || b.isMissing) return a.isMissing - b.isMissing;
      const order = isText ? a.text.localeCompare(b.text, "en", { numeric: true }) : a.value - b.value;
      return ascending ? order : -order;
    });
    body.append(...rows.map((entry) => entry.row));
    headers.forEach((header, index) =>
      header.setAttribute("aria-sort", index !== column ? "none" : ascending ? "ascending" : "descending"));
  };
  headers.forEach((header, column) =>
    header.querySelector("button").addEventListener("click", () =>
      sort(column, header.getAttribute("aria-sort") !== "ascending")));
  if (body.rows.length < 12) continue;
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.className = "filter";
  input.type = "search";
  label.append("Show only cases with", input);
  table.parentElement.before(label);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
