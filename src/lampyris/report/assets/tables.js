// Tables: sort by a column, copy as tab-separated text.

import { $, copyText, htmlElement } from "./elements.js";

const cellText = (cell) => {
  if (cell.dataset.copy !== undefined) return cell.dataset.copy;
  const text = cell.textContent.replace(/[\t\r\n]+/g, " ").trim();
  // a spreadsheet would take such a text for a formula
  return !cell.classList.contains("number") && /^[=+\-@]/.test(text) ? "'" + text : text;
};

function tableText(table) {
  const heads = [...table.tHead.rows[0].cells];
  const lines = [heads.map((head) => head.dataset.copy).join("\t")];
  for (const row of table.tBodies[0].rows) {
    lines.push([...row.cells].map((cell, k) => {
      const text = cellText(cell);
      return heads[k].dataset.kind === "estimate" && !text.includes("\t") ? text + "\t\t" : text;
    }).join("\t"));
  }
  return lines.join("\n") + "\n";
}

const sortKey = (cell, numeric) => {
  if (!numeric) return cell.textContent;
  const value = parseFloat(cell.dataset.copy ?? cell.textContent.replace("−", "-"));
  return Number.isNaN(value) ? Infinity : value;
};

function sortTable(table, k, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const numeric = head.dataset.kind !== "text";
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[k], numeric), row]);
  rows.sort(([a], [b]) => (down ? -1 : 1) * (numeric ? (a === b ? 0 : a < b ? -1 : 1) : compare(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

export function startTables() {
  for (const table of document.querySelectorAll("table.data")) {
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      const button = htmlElement("button", { type: "button", title: "Sort by this column" }, ...head.childNodes);
      button.addEventListener("click", () => sortTable(table, k, head));
      head.append(button);
    });
    const copy = htmlElement("button", { type: "button", className: "copy", textContent: "Copy as TSV" });
    copy.addEventListener("click", () => copyText(tableText(table), "Table"));
    table.caption.firstElementChild.append(copy);
  }
  for (const button of document.querySelectorAll("[data-copy-from]")) {
    button.addEventListener("click", () => {
      const source = $(button.dataset.copyFrom);
      const parts = source.querySelectorAll("p");
      const text = parts.length ? [...parts].map((part) => part.textContent).join("\n\n") : source.textContent;
      copyText(text + "\n", "Text");
    });
  }
}
