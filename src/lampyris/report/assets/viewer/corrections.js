// A person's corrections, gathered as rows of curation.csv and copied from here; nothing is changed in the page itself.

import { $, copyText, fillSelect, htmlElement, say } from "../elements.js";
import { markKey } from "./looking.js";

const COLUMNS = ["animal", "session", "view", "action", "lesion", "detection", "y_mm", "x_mm", "into", "kind", "organ", "reason", "author", "time"];
const KEEP = "as it is";

const csvCell = (value) => {
  // a spreadsheet would take such a text for a formula; numbers stay as they are
  const text = typeof value === "number" ? String(value) : /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
};
const csvLine = (row) => COLUMNS.map((name) => csvCell(row[name] ?? "")).join(",");

export class Corrections {
  constructor(looking) {
    this.looking = looking;
    this.rows = [];
    this.place = null;
    this.key = "";
    this.copied = true;
    fillSelect($("fix-kind"), [["", KEEP], ...looking.data.kinds.map((kind) => [kind, kind])], "");
    fillSelect($("fix-organ"), [["", KEEP], ...looking.data.organs.map((organ) => [organ, organ])], "");
    $("fix-action").addEventListener("input", () => this.showFields());
    $("fix-copy").addEventListener("click", () => this.take((row) => copyText(COLUMNS.join(",") + "\n" + csvLine(row) + "\n", "Curation row")));
    $("fix-add").addEventListener("click", () => this.take((row) => {
      this.rows.push(row);
      this.copied = false;
      this.list();
      say("Added to the corrections");
    }));
    $("fix-all").addEventListener("click", () => {
      copyText([COLUMNS.join(","), ...this.rows.map(csvLine)].join("\n") + "\n", this.count());
      this.copied = true;
    });
    window.addEventListener("beforeunload", (event) => { if (!this.copied) event.preventDefault(); });
    this.list();
  }
  // true while a tap on the picture sets the new place
  get waits() {
    return Boolean(this.key) && $("fix-action").value === "move" && $("fix").open;
  }
  choose(key) {
    if (key !== this.key) this.place = null;
    this.key = key;
    $("fix-fields").disabled = !key;
    $("fix-what").textContent = key ? "Correct " + this.name() : "Choose an outline first: in the picture, or in the list above.";
    this.showFields();
  }
  name() {
    const mark = this.looking.markOf(this.key);
    return mark && mark.lesions.length ? mark.name + " (detection " + mark.number + ")" : mark ? "detection " + mark.number : this.key;
  }
  setPlace(yMm, xMm) {
    this.place = [yMm, xMm];
    this.showFields();
  }
  showFields() {
    const action = $("fix-action").value;
    $("fix-place").hidden = action !== "move";
    $("fix-labels").hidden = action !== "relabel";
    $("fix-place").textContent = this.place
      ? "New place: y " + this.place[0].toFixed(2) + " mm, x " + this.place[1].toFixed(2) + " mm"
      : "Click the new place in the picture, or move the cross there with Shift and the arrows and press Enter.";
  }
  // the row as filled in, or what is missing
  row() {
    const { picture, data } = this.looking;
    const mark = picture.marks.find((one) => markKey(one) === this.key);
    const action = $("fix-action").value;
    const row = {
      animal: data.animals[picture.animal], session: picture.session, view: picture.view, action,
      lesion: mark ? mark.lesions[0] ?? "" : Number(this.key.slice(1).split("+")[0]),
      detection: mark ? mark.number : "",
      reason: $("fix-reason").value.trim(), author: $("fix-author").value.trim(),
      time: new Date().toISOString().slice(0, 19) + "Z",
    };
    if (action === "move") {
      if (!this.place) return "Click the new place in the picture first";
      [row.y_mm, row.x_mm] = this.place.map((value) => Number(value.toFixed(2)));
    }
    if (action === "relabel") {
      [row.kind, row.organ] = [$("fix-kind").value, $("fix-organ").value];
      if (!row.kind && !row.organ) return "Choose a kind or an organ first";
    }
    if (!row.reason) return "Give a reason";
    if (!row.author) return "Say who decides";
    return row;
  }
  take(use) {
    const row = this.row();
    $("fix-missing").textContent = typeof row === "string" ? row + "." : "";
    if (typeof row === "string") $(row.startsWith("Give") ? "fix-reason" : row.startsWith("Say") ? "fix-author" : "fix-action").focus();
    else use(row);
  }
  count() {
    return this.rows.length + " correction" + (this.rows.length === 1 ? "" : "s");
  }
  list() {
    $("fix-all").hidden = !this.rows.length;
    $("fix-all").textContent = this.count() + ": copy all";
    $("fix-rows").replaceChildren(...this.rows.map((row, k) => {
      const remove = htmlElement("button", { type: "button", textContent: "remove" });
      const words = [row.action, row.lesion === "" ? "detection " + row.detection : "L" + row.lesion, "of", row.animal, "in", row.session].join(" ");
      remove.setAttribute("aria-label", "Remove: " + words);
      remove.addEventListener("click", () => {
        this.rows.splice(k, 1);
        this.copied = this.copied || !this.rows.length;
        this.list();
      });
      return htmlElement("li", {}, words + " ", remove);
    }));
  }
}
