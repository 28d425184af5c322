// A person's corrections, gathered as rows of curation.csv and copied from here; nothing is changed in the page itself.

import { $, copyText, fillSelect, htmlElement, say } from "../elements.js";
import { markKey } from "./looking.js";

const COLUMNS = [
  "animal", "session", "view", "action", "lesion", "detection", "y_mm", "x_mm", "into", "kind", "organ", "reason", "author", "time",
  "target_y_mm", "target_x_mm",
];
// what each action speaks of: an outline, a new place, another outline, a kind and an organ
const ACTIONS = {
  accept: ["target"],
  reject: ["target"],
  move: ["target", "place"],
  split: ["target", "place"],
  merge: ["target", "other"],
  relabel: ["target", "labels"],
  add: ["place", "labels"],
  "exclude image": [],
  "exclude animal": [],
};
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
    this.scope = "";
    this.copied = true;
    fillSelect($("fix-kind"), [["", KEEP], ...looking.data.kinds.map((kind) => [kind, kind])], "");
    fillSelect($("fix-organ"), [["", KEEP], ...looking.data.organs.map((organ) => [organ, organ])], "");
    $("fix-action").addEventListener("input", () => this.showFields());
    $("fix-scope").addEventListener("input", () => { this.scope = $("fix-scope").value; this.showFields(); });
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
  wants(part) {
    return ACTIONS[$("fix-action").value].includes(part);
  }
  // true while a tap on the picture sets the new place
  get waits() {
    return $("fix").open && this.wants("place") && (Boolean(this.mark()) || !this.wants("target"));
  }
  mark() {
    return this.looking.markOf(this.key);
  }
  choose(key) {
    this.place = null;
    this.key = key;
    this.showFields();
  }
  setPlace(yMm, xMm) {
    this.place = [yMm, xMm];
    this.showFields();
  }
  showFields() {
    const mark = this.mark();
    const { picture, data } = this.looking;
    const show = (id, shown) => { $(id).hidden = !shown; };
    show("fix-place", this.wants("place"));
    show("fix-labels", this.wants("labels"));
    show("fix-scope-label", this.wants("target") && !this.wants("place") && Boolean(mark && mark.lesions.length));
    show("fix-into-label", this.wants("other"));
    // several lesions may share an outline: each is a choice of its own
    fillSelect($("fix-scope"), mark && mark.lesions.length
      ? [...mark.lesions.map((number) => [number, this.looking.lesion(number).name + ", on all days and views"]), ["detection", "this outline only"]]
      : [["detection", "this outline"]], this.scope);
    fillSelect($("fix-into"), this.others(mark), $("fix-into").value);
    const where = data.animals[picture.animal] + ", day " + picture.day;
    const missing = this.key ? "This picture does not outline " + this.key + ": open one that does." : "Choose an outline: in the picture, or in the list above.";
    $("fix-what").textContent = this.wants("target")
      ? mark ? "Correct " + mark.name + (mark.lesions.length ? " (detection " + mark.number + ")" : " " + mark.kind) : missing
      : { add: "Add what was missed in " + where + ", " + picture.view, "exclude image": "Leave out " + where + ", " + picture.view,
          "exclude animal": "Leave out " + data.animals[picture.animal] }[$("fix-action").value];
    $("fix-place").textContent = this.place
      ? "Place: y " + this.place[0].toFixed(2) + " mm, x " + this.place[1].toFixed(2) + " mm"
      : "Click the place in the picture, or move the cross there with Shift and the arrows and press Enter.";
  }
  // the lesion that a row speaks of, 0 where it speaks of the outline alone: a new place is one picture's own
  lesion(mark) {
    const chosen = Number($("fix-scope").value);
    return !this.wants("place") && mark && mark.lesions.includes(chosen) ? chosen : 0;
  }
  // what a mark may be merged into: outlines, or their lesions where a whole lesion is merged
  others(mark) {
    const whole = this.lesion(mark);
    const marks = this.looking.picture.marks.filter((one) => one !== mark && (!whole || one.lesions.length));
    const pairs = whole
      ? marks.flatMap((one) => one.lesions.map((number) => [markKey(one) + " " + number, this.looking.lesion(number).name + " " + one.kind]))
      : marks.map((one) => [markKey(one) + " 0", one.name + " " + one.kind]);
    return pairs.length ? pairs : [["", "no other outline here"]];
  }
  // the row as filled in, or what is missing
  row() {
    const { picture, data } = this.looking;
    const action = $("fix-action").value;
    const mark = this.mark();
    const row = { animal: data.animals[picture.animal], action };
    if (action !== "exclude animal") Object.assign(row, { session: picture.session, view: picture.view });
    if (this.wants("target")) {
      if (!mark) return "Choose an outline first";
      const lesion = this.lesion(mark);
      Object.assign(row, lesion ? { lesion } : { detection: mark.number });
      if (this.wants("place")) [row.target_y_mm, row.target_x_mm] = mark.at;
      else [row.y_mm, row.x_mm] = mark.at;
      if (this.wants("other")) {
        const [key, into] = $("fix-into").value.split(" ");
        const other = this.looking.markOf(key);
        if (!other || (lesion && lesion === Number(into))) return "Choose what it is merged into";
        row.into = lesion ? Number(into) : other.number;
        [row.target_y_mm, row.target_x_mm] = other.at;
      }
    }
    if (this.wants("place")) {
      if (!this.place) return "Click the new place in the picture first";
      [row.y_mm, row.x_mm] = this.place.map((value) => Number(Math.max(0, value).toFixed(2)));
    }
    if (this.wants("labels")) {
      if ($("fix-kind").value) row.kind = $("fix-kind").value;
      if ($("fix-organ").value) row.organ = $("fix-organ").value;
      if (action === "relabel" && !row.kind && !row.organ) return "Choose a kind or an organ first";
    }
    Object.assign(row, { reason: $("fix-reason").value.trim(), author: $("fix-author").value.trim(), time: new Date().toISOString().slice(0, 16) + "Z" });
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
      const what = row.lesion ? "L" + row.lesion : row.detection ? "detection " + row.detection : "";
      const words = [row.action, what, row.session ? "in" : "", row.session, "of", row.animal].filter(Boolean).join(" ");
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
