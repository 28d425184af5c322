// The viewer: joins state, pixels, zoom and corrections to the controls of its dialog.

import { $, fillSelect, hideTip, htmlElement, showTip } from "../elements.js";
import { number } from "../numbers.js";
import { pin } from "../links.js";
import { Corrections } from "./corrections.js";
import { listenTo } from "./gestures.js";
import { Looking, lesionWords, markKey, markWords } from "./looking.js";
import { drawCross, drawOverlay } from "./overlay.js";
import { Blobs, bytesOf, levelsOf, ownRange, paint, paintBar, photographOf, placesIn, registeredLook } from "./pixels.js";
import { ownPixel, pixelWords } from "./readout.js";
import { Zoom, ruleFor } from "./zoom.js";

const NEAR = 22; // a finger this close to an outline's name, in pixels of the screen, means it
const ASK = "Point at the picture to read a pixel.";

export class Viewer {
  constructor(data, textOf) {
    this.looking = new Looking(data);
    this.zoom = new Zoom();
    this.blobs = new Blobs(textOf);
    this.colours = {};
    for (const [name, text] of Object.entries(data.colours)) this.colours[name] = bytesOf(text);
    this.shown = null; // unpacked pixels of the picture
    this.ranges = new Map();
    this.turn = 0;
    this.queued = false;
    this.opener = null;
    this.dialog = $("viewer");
    this.corrections = new Corrections(this.looking);
    fillSelect($("animal"), data.order.map((k) => [k, data.animals[k]]), data.order[0]);
    this.listenToControls();
    this.listenToPane();
    // of the document: a page opened at a picture has its focus nowhere yet
    document.addEventListener("keydown", (event) => { if (this.dialog.open && !$("keys").open) this.key(event); });
  }

  // ---- what is shown -----------------------------------------------------------------------------------------------
  fullRange() {
    const { looking, shown } = this;
    if (looking.range === "shared") return looking.sharedRange();
    const key = looking.index + "/" + looking.layer;
    if (!this.ranges.has(key)) this.ranges.set(key, ownRange(shown.plane, shown.pixels));
    return this.ranges.get(key);
  }
  async show(index, layer = this.looking.layer) {
    if (index === undefined) return;
    const mine = ++this.turn;
    const { looking } = this;
    const p = looking.data.pictures[index];
    const inLayers = layer !== "probe" && p.layers[layer] !== undefined;
    const core = await this.blobs.get("core-" + p.animal);
    const bytes = inLayers ? await this.blobs.get("layers-" + p.animal) : core;
    if (mine !== this.turn) return; // a later request overtook this one
    const kept = this.shown && looking.range === "shared" && String(layer) === String(looking.layer);
    looking.index = index;
    looking.layer = inLayers ? layer : "probe";
    looking.cross = null;
    if (looking.chosen && !looking.markOf(looking.chosen)) looking.chosen = "";
    const plane = inLayers ? p.layers[layer] : p.probe;
    this.shown = { core, plane, pixels: levelsOf(bytes, plane), photo: photographOf(core, p.photo), look: null };
    if (!kept) [looking.low, looking.high] = this.fullRange();
    this.fillControls();
    this.listFound();
    this.arrange();
    this.draw();
    this.fit();
    this.say(ASK, "");
    this.corrections.choose(looking.chosen);
  }
  arrange() {
    const { looking, shown } = this;
    const p = looking.picture;
    shown.look = looking.registered ? registeredLook(p, looking.data.frame, looking.shape) : null;
    shown.at = placesIn(shown.plane, p, shown.look, looking.shape);
    shown.photoAt = placesIn(p.photo, p, shown.look, looking.shape);
  }
  draw() {
    const started = performance.now();
    const { looking } = this;
    const palette = this.colours[looking.palette];
    paint($("canvas"), looking.shape, this.shown, {
      low: looking.low, high: looking.high, log: looking.log, palette, strength: looking.shown ? looking.strength : 0,
    });
    paintBar($("viewer-bar"), palette);
    const root = document.documentElement;
    root.dataset.redrawMs = (performance.now() - started).toFixed(1);
    root.dataset.viewer = looking.index + "/" + looking.layer;
    root.dataset.lay = looking.registered ? "registered" : "photographed";
    this.labelBar();
  }
  drawLater() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => { this.queued = false; this.draw(); });
  }
  labelBar() {
    const { looking } = this;
    const [low, high] = this.fullRange();
    const byHand = Math.abs(Math.log(looking.low / low)) > 0.01 || Math.abs(Math.log(looking.high / high)) > 0.01;
    $("bar-low").textContent = $("low-value").textContent = number(looking.low, 2);
    $("bar-high").textContent = $("high-value").textContent = number(looking.high, 2);
    const range = byHand ? "range set by hand" : looking.range === "own" ? "own range" : "shared range";
    $("bar-unit").textContent = looking.layerName + ", " + looking.data.unit + ", " + (looking.log ? "logarithmic" : "linear") + ", " + range;
    for (const end of ["low", "high"]) $(end).setAttribute("aria-valuetext", number(looking[end], 2) + " " + looking.data.unit);
  }
  // the room changes, or the picture
  fit() {
    const pane = $("sheet");
    this.zoom.fit(this.looking.shape, { w: pane.clientWidth, h: pane.clientHeight });
    this.place();
  }
  place() {
    const { zoom, looking } = this;
    $("canvas").style.transform = "translate(" + zoom.x + "px," + zoom.y + "px) scale(" + zoom.scale + ")";
    drawOverlay($("overlay"), looking, zoom);
    const { mm, size } = ruleFor(looking.picture.pixel, zoom.scale, Math.min(120, zoom.pane.w / 4));
    $("rule").style.width = size + "px";
    $("rule-text").textContent = mm + " mm";
    $("zoom-value").textContent = zoom.zoomed ? zoom.factor.toFixed(1) + "×" : "";
    document.documentElement.dataset.zoom = zoom.factor.toFixed(2);
  }

  // ---- words ---------------------------------------------------------------------------------------------------------
  say(value, more) {
    $("readout-value").textContent = value;
    $("readout-more").textContent = more;
  }
  read(x, y) {
    const { looking } = this;
    const { value, more } = pixelWords(looking, this.shown, x, y);
    this.say(value, more);
    looking.cross = [x, y];
    drawCross($("overlay"), looking, this.zoom);
  }
  listFound() {
    const { looking } = this;
    const row = (key, lines, soft, link) => {
      // all lines once it is chosen; till then what it is, where, and how much there is on this day
      const brief = (text, k) => k < 2 || text.startsWith("day ");
      const button = htmlElement("button", { type: "button" }, ...lines.map((textContent, k) =>
        htmlElement("span", { className: (soft || k ? "soft" : "name") + (brief(textContent, k) ? "" : " more"), textContent })));
      button.dataset.key = key;
      button.dataset.animal = looking.data.animals[looking.picture.animal];
      if (link.length) button.dataset.lesion = link.join(" ");
      button.setAttribute("aria-pressed", String(looking.chosen === key));
      button.addEventListener("click", () => this.choose(key));
      return htmlElement("li", {}, button);
    };
    const rows = looking.picture.marks.map((mark) => row(markKey(mark), markWords(looking, mark), mark.style !== "lesion", mark.lesions));
    rows.push(...looking.unseen().map((lesion) => row("L" + lesion.number, lesionWords(lesion, looking.picture.session), true, [lesion.number])));
    if (!rows.length) rows.push(htmlElement("li", { className: "nothing", textContent: "Nothing passed the threshold here." }));
    $("found").replaceChildren(...rows);
  }
  choose(key) {
    const { looking } = this;
    looking.chosen = looking.chosen === key ? "" : key;
    for (const group of $("overlay").querySelectorAll(".mark")) group.classList.toggle("chosen", group.dataset.key === looking.chosen);
    for (const button of $("found").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.key === looking.chosen));
    const button = [...$("found").querySelectorAll("button")].find((one) => one.dataset.key === looking.chosen);
    if (button) button.scrollIntoView({ block: "nearest" });
    const lesions = looking.chosen.startsWith("L") ? looking.chosen.slice(1).split("+").map(Number) : [];
    pin(lesions.length ? { animal: looking.data.animals[looking.picture.animal], lesions } : null);
    this.corrections.choose(looking.chosen);
    document.documentElement.dataset.chosen = looking.chosen;
  }

  // ---- controls ------------------------------------------------------------------------------------------------------
  fillControls() {
    const { looking } = this;
    const { pictures, animals, order } = looking.data;
    const p = looking.picture;
    const days = looking.days;
    fillSelect($("day"), days.map((i) => [i, String(pictures[i].day)]), looking.index);
    fillSelect($("view"), looking.views.map((i) => [i, pictures[i].view]), looking.index);
    fillSelect($("layer"), looking.layers, looking.layer);
    $("animal").value = String(p.animal);
    const k = days.indexOf(looking.index);
    $("day-slider").max = days.length - 1;
    $("day-slider").value = k;
    $("day-slider").disabled = days.length < 2;
    $("day-slider").setAttribute("aria-valuetext", "day " + p.day);
    $("day-value").textContent = "day " + p.day + ", " + (k + 1) + " of " + days.length;
    $("day-back").disabled = k <= 0;
    $("day-on").disabled = k >= days.length - 1;
    $("animal-back").disabled = order.indexOf(p.animal) <= 0;
    $("animal-on").disabled = order.indexOf(p.animal) >= order.length - 1;
    $("viewer-title").textContent = animals[p.animal] + " · " + p.arm + " · day " + p.day + " · " + p.view;
    $("sheet").setAttribute("aria-label", "Picture of " + animals[p.animal] + ", day " + p.day + ", " + p.view + ", " + looking.layerName
      + ". Shift and arrow keys move the read-out by a pixel.");
    this.setSliders();
    this.warn();
  }
  // sliders run over the full range and a decade below it, in equal ratios
  ends() {
    const [low, high] = this.fullRange();
    return [Math.log(low / 10), Math.log(high)];
  }
  setSliders() {
    const [a, b] = this.ends();
    for (const end of ["low", "high"]) $(end).value = Math.round((1000 * (Math.log(this.looking[end]) - a)) / (b - a));
  }
  warn() {
    const { palette, range } = this.looking;
    const words = [];
    if (palette === "rainbow") words.push("A rainbow makes edges where there are none and hides others. Use it only to compare with a vendor's picture.");
    if (range === "own") words.push("Own range: the same colour means another radiance in every picture. Compare numbers, not colours.");
    $("caution").textContent = words.join(" ");
    $("caution").hidden = !words.length;
  }
  toFullRange() {
    [this.looking.low, this.looking.high] = this.fullRange();
    this.setSliders();
    this.drawLater();
  }
  layAgain(registered) {
    this.looking.registered = registered;
    this.looking.cross = null;
    $("lay-registered").checked = registered;
    $("lay-photo").checked = !registered;
    this.arrange();
    this.draw();
    this.fit();
  }
  zoomBy(ratio) {
    this.zoom.about(ratio, this.zoom.pane.w / 2, this.zoom.pane.h / 2);
    this.place();
  }
  unzoom() {
    this.zoom.reset();
    this.place();
  }
  listenToControls() {
    const { looking } = this;
    const on = (id, name, act) => $(id).addEventListener(name, act);
    on("log", "input", () => { looking.log = $("log").checked; this.drawLater(); });
    on("shown", "input", () => { looking.shown = $("shown").checked; this.drawLater(); });
    on("strength", "input", () => { looking.strength = $("strength").value / 100; this.drawLater(); });
    on("colours", "input", () => { looking.palette = $("colours").value; this.warn(); this.drawLater(); });
    on("range", "input", () => { looking.range = $("range").value; this.warn(); this.toFullRange(); });
    for (const end of ["low", "high"]) {
      on(end, "input", () => {
        const [a, b] = this.ends();
        looking.setEnd(end, Math.exp(a + ((b - a) * $(end).value) / 1000));
        this.setSliders();
        this.drawLater();
      });
    }
    on("reset", "click", () => this.toFullRange());
    on("outlines", "input", () => { looking.outlines = $("outlines").checked; this.place(); });
    on("others", "input", () => { looking.others = $("others").checked; this.place(); });
    on("lay-photo", "input", () => this.layAgain(false));
    on("lay-registered", "input", () => this.layAgain(true));
    on("day-slider", "input", () => this.show(looking.days[Number($("day-slider").value)]));
    on("day", "input", () => this.show(Number($("day").value)));
    on("view", "input", () => this.show(Number($("view").value)));
    on("animal", "input", () => this.show(looking.like(Number($("animal").value))));
    on("layer", "input", () => this.show(looking.index, $("layer").value));
    on("day-back", "click", () => this.show(looking.dayStep(-1)));
    on("day-on", "click", () => this.show(looking.dayStep(1)));
    on("animal-back", "click", () => this.show(looking.animalStep(-1)));
    on("animal-on", "click", () => this.show(looking.animalStep(1)));
    on("zoom-in", "click", () => this.zoomBy(1.5));
    on("zoom-out", "click", () => this.zoomBy(1 / 1.5));
    on("zoom-fit", "click", () => this.unzoom());
    on("viewer-keys", "click", () => $("keys").showModal());
    on("keys-close", "click", () => $("keys").close());
    on("viewer-close", "click", () => this.leave());
    on("viewer", "close", (event) => { if (event.target === this.dialog) this.giveBackFocus(); }); // Esc closes without asking
    on("viewer", "click", (event) => { if (event.target === this.dialog) this.leave(); });
    window.addEventListener("resize", () => { if (this.dialog.open && this.shown) this.fit(); });
  }
  listenToPane() {
    const pixel = ({ x, y }) => {
      const [px, py] = this.zoom.toPicture(x, y);
      const { w, h } = this.looking.shape;
      return px >= 0 && py >= 0 && px < w && py < h ? [px, py] : null;
    };
    listenTo($("sheet"), {
      hover: (place, event) => {
        if (!this.shown) return;
        const at = pixel(place);
        if (at) this.read(Math.floor(at[0]), Math.floor(at[1]));
        const mark = event.pointerType === "mouse" && event.target.closest(".mark");
        if (mark) showTip(mark.dataset.words, event.clientX, event.clientY);
        else hideTip();
      },
      tap: (place, event) => {
        const at = pixel(place);
        if (this.corrections.waits && at) this.setPlace(...at);
        else this.tapMark(place, event);
      },
      twice: ({ x, y }) => {
        if (this.zoom.factor > 2.4) this.zoom.reset();
        else this.zoom.about(3, x, y);
        this.place();
      },
      pan: (dx, dy) => { this.zoom.pan(dx, dy); this.place(); },
      zoom: (ratio, x, y) => { this.zoom.about(ratio, x, y); this.place(); },
      zoomed: () => this.zoom.zoomed,
      leave: hideTip,
    });
  }
  // the outline under the pointer; for a finger the nearest one whose name or edge is close
  tapMark({ x, y }, event) {
    let mark = event.target.closest(".mark");
    if (!mark && event.pointerType !== "mouse") {
      const box = $("sheet").getBoundingClientRect();
      const away = (group) => {
        const b = group.getBoundingClientRect();
        const out = (low, high, at) => Math.max(low - at, 0, at - high);
        return Math.hypot(out(b.left, b.right, x + box.left), out(b.top, b.bottom, y + box.top));
      };
      const near = [...$("overlay").querySelectorAll(".mark")].map((group) => [away(group), group]).sort((a, b) => a[0] - b[0]);
      if (near.length && near[0][0] < NEAR) mark = near[0][1];
    }
    if (!mark) return;
    // a finger has no hover: its row in the list beside the picture says the same without covering it
    this.choose(mark.dataset.key);
  }
  // a new place for the chosen spot, in mm from the first pixel's centre of the view
  setPlace(px, py) {
    const { looking } = this;
    const x = Math.floor(px);
    const y = Math.floor(py);
    const own = ownPixel(looking, this.shown, x, y);
    if (!own) return;
    const p = looking.picture;
    // between pixels where the picture is as photographed; whole pixels where it was laid through the mesh
    const [ox, oy] = looking.registered ? own : [px - 0.5, py - 0.5];
    this.corrections.setPlace((p.y + oy) * p.pixel, (p.x + ox) * p.pixel);
    looking.cross = [x, y];
    drawCross($("overlay"), looking, this.zoom);
  }

  // ---- keys ----------------------------------------------------------------------------------------------------------
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.shown) return;
    const typing = event.target.matches("input[type=text], textarea");
    const own = event.target.matches("input[type=range], input[type=radio], select");
    if (typing) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (move) {
      if (own) return;
      this.moveKey(move, event.shiftKey);
    } else if (!this.letter(key, own)) {
      return;
    }
    event.preventDefault();
  }
  moveKey([dx, dy], shift) {
    const { looking } = this;
    if (!shift) {
      this.show(dx ? looking.dayStep(dx) : looking.animalStep(dy));
      return;
    }
    const { w, h } = looking.shape;
    const [x, y] = looking.cross || [Math.floor(w / 2), Math.floor(h / 2)];
    const held = (value, most) => Math.min(most - 1, Math.max(0, value));
    this.read(held(x + dx, w), held(y + dy, h));
  }
  // true where the key means something here
  letter(key, own) {
    const { looking } = this;
    const toggle = (id) => { $(id).checked = !$(id).checked; $(id).dispatchEvent(new Event("input")); };
    const acts = {
      a: () => this.show(looking.animalStep(-1)),
      z: () => this.show(looking.animalStep(1)),
      v: () => this.show(looking.viewStep()),
      b: () => this.show(looking.index, looking.layerStep()),
      l: () => toggle("log"),
      o: () => toggle("shown"),
      x: () => toggle("outlines"),
      r: () => this.layAgain(!looking.registered),
      "+": () => this.zoomBy(1.5),
      "=": () => this.zoomBy(1.5),
      "-": () => this.zoomBy(1 / 1.5),
      0: () => { this.unzoom(); this.toFullRange(); },
      "?": () => $("keys").showModal(),
      Enter: () => { if (looking.cross) this.setPlace(looking.cross[0] + 0.5, looking.cross[1] + 0.5); },
    };
    if (key === "Enter" && !(this.corrections.waits && document.activeElement === $("sheet"))) return false;
    // letters would jump in a list of choices
    if (!acts[key] || (own && document.activeElement.matches("select"))) return false;
    acts[key]();
    return true;
  }

  // ---- coming and going ------------------------------------------------------------------------------------------------
  async open(index, opener, chosen = "") {
    this.opener = opener;
    if (!this.dialog.open) this.dialog.showModal();
    hideTip();
    $("viewer-title").focus();
    this.zoom.reset();
    this.looking.chosen = "";
    pin(null);
    await this.show(index, "probe");
    if (chosen && (this.looking.markOf(chosen) || this.looking.unseen().some((lesion) => "L" + lesion.number === chosen))) this.choose(chosen);
  }
  // open at what a row, a point or a dot of the page is about
  openLink(link, opener) {
    const index = this.looking.find(link);
    if (index === undefined) return;
    const mark = this.looking.data.pictures[index].marks.find((one) =>
      link.detection ? one.number === link.detection : link.lesions.some((lesion) => one.lesions.includes(lesion)));
    this.open(index, opener, mark ? markKey(mark) : link.lesions.length === 1 ? "L" + link.lesions[0] : "");
  }
  leave() {
    this.dialog.close();
    this.giveBackFocus();
  }
  giveBackFocus() {
    hideTip();
    if (this.opener) this.opener.focus();
  }
}
