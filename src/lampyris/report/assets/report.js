"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const NOISE_STEP = 0.05; // of the packed noise map, which is logarithmic
  const NOISE_BLOCK = 4;

  // ---- numbers -------------------------------------------------------------------------------------------------
  const raised = (n) => String(n).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  const power = (e) => "\u202f×\u202f10" + raised(e);
  function number(value, digits = 3) {
    if (!Number.isFinite(value)) return "n/a";
    if (value === 0) return "0";
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e").map(Number);
    if (exponent >= -3 && exponent < 4) {
      return (mantissa * 10 ** exponent).toFixed(Math.max(0, digits - 1 - exponent)).replace("-", "−");
    }
    return mantissa.toFixed(digits - 1).replace("-", "−") + power(exponent);
  }
  function withDeviation(value, deviation) {
    if (!(deviation > 0)) return number(value);
    // two digits of the deviation, and the value to the same place
    const last = 10 ** (Math.floor(Math.log10(deviation)) - 1);
    deviation = Math.round(deviation / last) * last;
    value = Math.round(value / last) * last;
    const exponent = Math.floor(Math.log10(Math.max(Math.abs(value), deviation)));
    const decimals = Math.min(4, Math.max(0, exponent - Math.floor(Math.log10(deviation)) + 1));
    if (exponent >= -2 && exponent < 4) {
      const shown = Math.max(0, decimals - exponent);
      return value.toFixed(shown).replace("-", "−") + " ± " + deviation.toFixed(shown);
    }
    const scale = 10 ** exponent;
    return "(" + (value / scale).toFixed(decimals).replace("-", "−") + " ± " + (deviation / scale).toFixed(decimals) + ")" + power(exponent);
  }

  // ---- tables: sort and copy -------------------------------------------------------------------------------------
  let silence = 0;
  function say(text) {
    $("said").textContent = text;
    clearTimeout(silence);
    silence = setTimeout(() => { $("said").textContent = ""; }, 2500);
  }
  async function copyText(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // a file opened from disk may have no clipboard of its own: fall back on a selection
      const area = document.createElement("textarea");
      area.value = text;
      (document.querySelector("dialog[open]") || document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(what + " copied");
  }
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
  function sortTable(table, k, button) {
    const head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = head.dataset.kind !== "text";
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[k], numeric), row]);
    rows.sort(([a], [b]) => (down ? -1 : 1) * (numeric ? (a === b ? 0 : a < b ? -1 : 1) : compare(a, b)));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }
  for (const table of document.querySelectorAll("table.data")) {
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortTable(table, k, button));
      head.append(button);
    });
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy as TSV";
    copy.addEventListener("click", () => copyText(tableText(table), "Table"));
    table.caption.append(copy);
  }
  for (const button of document.querySelectorAll("[data-copy-from]")) {
    button.addEventListener("click", () => {
      const source = $(button.dataset.copyFrom);
      const parts = source.querySelectorAll("p");
      const text = parts.length ? [...parts].map((part) => part.textContent).join("\n\n") : source.textContent;
      copyText(text + "\n", "Text");
    });
  }

  // ---- body map --------------------------------------------------------------------------------------------------
  const mapStore = $("map-data");
  if (mapStore) {
    const map = JSON.parse(mapStore.textContent);
    const tints = [...document.querySelectorAll("#maps .tint")];
    const dots = [...document.querySelectorAll("#maps .dot")];
    const slider = $("map-slider");
    const showDay = (k) => {
      const day = map.days[k];
      for (const id of ["map-day", "map-slider-day"]) if ($(id)) $(id).textContent = String(day);
      if (slider) slider.setAttribute("aria-valuetext", "day " + day);
      for (const shape of tints) {
        const organ = map.arms[shape.dataset.arm][shape.dataset.organ];
        shape.setAttribute("opacity", organ.tint[k]);
        shape.querySelector("title").textContent = organ.words[k];
        if (shape.hasAttribute("tabindex")) shape.setAttribute("aria-label", organ.words[k]);
      }
      for (const dot of dots) dot.classList.toggle("later", Number(dot.dataset.by) > day);
      for (const caption of document.querySelectorAll("[data-any]")) {
        const any = map.arms[caption.dataset.any][map.any];
        if (any) caption.textContent = any.words[k];
      }
      $("map-words").textContent = "\u00a0";
    };
    if (slider) slider.addEventListener("input", () => showDay(Number(slider.value)));
    const tell = (event) => {
      const title = event.target.closest(".tint, .dot")?.querySelector("title");
      if (title) $("map-words").textContent = title.textContent;
    };
    for (const name of ["pointerover", "pointerdown", "focusin"]) $("maps").addEventListener(name, tell);
    const arm = $("map-arm");
    if (arm) {
      arm.addEventListener("input", () => {
        for (const figure of document.querySelectorAll("[data-map]")) figure.hidden = arm.value !== "" && figure.dataset.map !== arm.value;
        $("maps").classList.toggle("one", arm.value !== "");
      });
    }
    showDay(map.days.length - 1);
  }

  // ---- viewer ----------------------------------------------------------------------------------------------------
  const store = $("viewer-data");
  if (!store) {
    root.dataset.ready = "yes";
    return;
  }
  const data = JSON.parse(store.textContent);
  const dialog = $("viewer");
  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const colours = {};
  for (const [name, text] of Object.entries(data.colours)) colours[name] = bytesOf(text);

  const blobs = new Map();
  function blob(kind, animal) {
    const id = kind + "-" + animal;
    if (!blobs.has(id)) {
      const packed = new Blob([bytesOf($(id).textContent)]);
      const plain = packed.stream().pipeThrough(new DecompressionStream("deflate"));
      blobs.set(id, new Response(plain).arrayBuffer().then((buffer) => new Uint8Array(buffer)));
    }
    return blobs.get(id);
  }
  function levels(bytes, plane) {
    const n = plane.h * plane.w;
    const out = new Uint16Array(n);
    for (let i = 0, high = plane.at, low = plane.at + n; i < n; i++) out[i] = (bytes[high + i] << 8) | bytes[low + i];
    return out;
  }
  function photograph(bytes, place) {
    const out = new Uint8Array(place.h * place.w);
    for (let y = 0, i = 0; y < place.h; y++) {
      for (let x = 0, sum = 0; x < place.w; x++, i++) out[i] = sum = (sum + bytes[place.at + i]) & 255;
    }
    return out;
  }

  // the picture on show: pixels as unpacked, and how they are looked at
  const now = { index: 0, layer: "probe", low: 0, high: 1, photo: null, plane: null, pixels: null, core: null, cross: null, opener: null, look: null };
  const picture = () => data.pictures[now.index];
  const registered = () => $("lay-registered").checked;
  // size of what is shown, in pixels of the image: the picture's own frame, or the nominal animal's
  function shape() {
    const p = picture();
    if (!registered()) return { w: p.w, h: p.h };
    return { w: Math.round((2 * data.frame.half) / p.pixel), h: Math.round((data.frame.last - data.frame.first) / p.pixel) };
  }
  // the picture's pixel under each pixel of the nominal animal's frame, through the mesh; -1 where there is none
  function lookUp() {
    const p = picture();
    const { w, h } = shape();
    const out = new Int32Array(w * h);
    const stations = p.mesh.length / 4 - 1;
    for (let y = 0, i = 0; y < h; y++) {
      const at = ((y + 0.5) * p.pixel) / data.frame.step;
      const k = Math.min(stations - 1, Math.floor(at));
      const t = at - k;
      const node = (n) => (p.mesh[4 * k + n] * (1 - t) + p.mesh[4 * k + 4 + n] * t) / 10;
      const [x0, y0, x1, y1] = [node(0), node(1), node(2), node(3)];
      for (let x = 0; x < w; x++, i++) {
        const u = ((x + 0.5) * p.pixel) / (2 * data.frame.half);
        const px = Math.floor(x0 + (x1 - x0) * u);
        const py = Math.floor(y0 + (y1 - y0) * u);
        out[i] = px >= 0 && py >= 0 && px < p.w && py < p.h ? py * p.w + px : -1;
      }
    }
    return out;
  }
  const lut = new Uint32Array(65536);
  const clear = 0; // entry of a level that shows the photograph
  const canvas = $("canvas");
  let queued = false;

  const ranges = new Map();
  function fullRange() {
    // the probe has the shared scale; other layers take theirs from the picture
    if (now.layer === "probe") return data.window;
    const { plane, pixels } = now;
    let top = 0;
    for (const level of pixels) if (level > top) top = level;
    const high = Math.max(plane.o + plane.s * top, plane.s);
    const key = now.index + "/" + now.layer;
    if (!ranges.has(key)) ranges.set(key, [high / 1000, high]);
    return ranges.get(key);
  }
  // sliders run over the scale and a decade to either side, in equal ratios
  const spanOf = ([low, high]) => [Math.log(low / 10), Math.log(high)];
  function sliderValue(slider) {
    const [a, b] = spanOf(fullRange());
    return Math.exp(a + ((b - a) * slider.value) / 1000);
  }
  function setSlider(slider, value) {
    const [a, b] = spanOf(fullRange());
    slider.value = Math.round((1000 * (Math.log(value) - a)) / (b - a));
  }

  function buildLut() {
    const { plane, low, high } = now;
    const palette = colours[$("colours").value];
    const log = $("log").checked;
    const scale = log ? 1 / Math.log(high / low) : 1 / (high - low);
    for (let level = 0; level < 65536; level++) {
      const value = plane.o + plane.s * level;
      if (!(value > low)) {
        lut[level] = clear;
        continue;
      }
      const share = log ? Math.log(value / low) * scale : (value - low) * scale;
      const c = 3 * Math.min(255, Math.round(255 * share));
      lut[level] = (255 << 24) | (palette[c + 2] << 16) | (palette[c + 1] << 8) | palette[c];
    }
  }
  // where a plane or the photograph, which may be coarser than the image, holds each pixel shown
  function places(plane) {
    const p = picture();
    const { w, h } = shape();
    const out = new Int32Array(w * h);
    const columns = Int32Array.from({ length: p.w }, (_, x) => Math.min(plane.w - 1, Math.floor((x * plane.w) / p.w)));
    const rows = Int32Array.from({ length: p.h }, (_, y) => Math.min(plane.h - 1, Math.floor((y * plane.h) / p.h)) * plane.w);
    for (let i = 0; i < out.length; i++) {
      const at = now.look ? now.look[i] : i;
      out[i] = at < 0 ? -1 : rows[Math.floor(at / p.w)] + columns[at % p.w];
    }
    return out;
  }
  function arrange() {
    now.look = registered() ? lookUp() : null;
    now.at = places(now.plane);
    now.photoAt = places(picture().photo);
  }
  function draw() {
    const started = performance.now();
    const { pixels, photo, at, photoAt } = now;
    const { w, h } = shape();
    buildLut();
    canvas.width = w;
    canvas.height = h;
    const context = canvas.getContext("2d");
    const image = context.createImageData(w, h);
    const out = new Uint32Array(image.data.buffer);
    const strength = $("shown").checked ? $("strength").value / 100 : 0;
    const black = 255 << 24;
    for (let i = 0; i < out.length; i++) {
      if (at[i] < 0) {
        out[i] = black;
        continue;
      }
      const grey = photo[photoAt[i]];
      const colour = strength ? lut[pixels[at[i]]] : clear;
      if (colour === clear) {
        out[i] = black | (grey << 16) | (grey << 8) | grey;
      } else if (strength === 1) {
        out[i] = colour;
      } else {
        const keep = grey * (1 - strength);
        const r = keep + (colour & 255) * strength;
        const g = keep + ((colour >> 8) & 255) * strength;
        const b = keep + ((colour >> 16) & 255) * strength;
        out[i] = black | (b << 16) | (g << 8) | r;
      }
    }
    context.putImageData(image, 0, 0);
    root.dataset.redrawMs = (performance.now() - started).toFixed(1);
    drawBar();
    root.dataset.viewer = now.index + "/" + now.layer;
    root.dataset.lay = registered() ? "registered" : "photographed";
  }
  function drawLater() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  }
  function drawBar() {
    const context = $("viewer-bar").getContext("2d");
    const image = context.createImageData(256, 1);
    const palette = colours[$("colours").value];
    for (let i = 0; i < 256; i++) image.data.set([palette[3 * i], palette[3 * i + 1], palette[3 * i + 2], 255], 4 * i);
    context.putImageData(image, 0, 0);
    $("bar-low").textContent = number(now.low, 2);
    $("bar-high").textContent = number(now.high, 2);
    $("bar-unit").textContent = data.unit + ($("log").checked ? ", logarithmic" : ", linear");
    $("low-value").textContent = number(now.low, 2);
    $("high-value").textContent = number(now.high, 2);
  }

  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  function choose(key) {
    for (const group of $("overlay").querySelectorAll(".mark")) group.classList.toggle("chosen", group.dataset.key === key);
    for (const button of $("found").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.key === key));
  }
  const lesionsHere = () => data.lesions[picture().animal];
  const lesionOf = (number) => lesionsHere().find((lesion) => lesion.number === number);
  const markKey = (mark) => mark.lesions.length ? "L" + mark.lesions.join("+") : "D" + mark.number;
  // words of a lesion, and what this session says of it
  const lesionWords = (lesion) => {
    const here = lesion.days[picture().session];
    return here ? [...lesion.lines, here[1]] : lesion.lines;
  };
  const markWords = (mark) => {
    const lines = mark.lesions.flatMap((number) => lesionWords(lesionOf(number)));
    if (!mark.lesions.length) lines.push(mark.number + " · " + mark.kind + (mark.region ? " · " + mark.region : ""));
    return [...lines, mark.flux, mark.z, ...(mark.flags ? [mark.flags] : [])];
  };
  // lesions of the animal that this picture does not outline
  const unseen = () => {
    const shown = new Set(picture().marks.flatMap((mark) => mark.lesions));
    return lesionsHere().filter((lesion) => !shown.has(lesion.number) && lesion.days[picture().session]);
  };
  function addMark(marks, style, key, words, path, label, unit) {
    const group = make("g", { class: "mark " + style, "data-key": key });
    group.append(make("title", {}, words.join("\n")), make("path", { d: path, class: "halo" }), make("path", { d: path }));
    const text = make("text", { x: label[0], y: label[1] }, label[2]);
    text.style.fontSize = 14 * unit + "px";
    group.append(text);
    group.addEventListener("click", () => choose(key));
    marks.append(group);
  }
  const spot = (lesion, p) => [(data.frame.half + (p.view === "dorsal" ? -1 : 1) * lesion.at[1]) / p.pixel, (lesion.at[0] - data.frame.first) / p.pixel];
  function drawPlaces(marks, unit) {
    const p = picture();
    for (const lesion of unseen()) {
      if (!lesion.at.length || lesion.style !== "lesion") continue;
      const [x, y] = spot(lesion, p);
      const r = 2.5 / p.pixel;
      const ring = "M" + (x - r) + " " + y + "a" + r + " " + r + " 0 1 0 " + 2 * r + " 0a" + r + " " + r + " 0 1 0 " + -2 * r + " 0Z";
      addMark(marks, "other unseen", "L" + lesion.number, lesionWords(lesion), ring, [x + 1.1 * r, y - 0.6 * r, lesion.name], unit);
    }
    const outlined = new Set(p.marks.flatMap((mark) => mark.lesions));
    for (const lesion of lesionsHere()) {
      if (!lesion.at.length || (lesion.style !== "lesion" && !outlined.has(lesion.number))) continue;
      const [x, y] = spot(lesion, p);
      // arms of the cross are its intervals, at least one millimetre
      const [b, a] = [Math.max(1, lesion.at[3]) / p.pixel, Math.max(1, lesion.at[2]) / p.pixel];
      marks.append(make("path", { class: "place", d: "M" + (x - b) + " " + y + "h" + 2 * b + "M" + x + " " + (y - a) + "v" + 2 * a }));
    }
  }
  function drawMarks() {
    const p = picture();
    const { w, h } = shape();
    const overlay = $("overlay");
    overlay.setAttribute("viewBox", "0 0 " + w + " " + h);
    overlay.replaceChildren();
    // type and rule keep their size on the screen whatever the picture's scale
    const unit = w / Math.max(1, $("sheet").clientWidth);
    const marks = make("g", { class: "marks" });
    if ($("outlines").checked) {
      if (registered()) {
        const body = data.outline.map(([x, y]) => [(x + data.frame.half) / p.pixel, (y - data.frame.first) / p.pixel]);
        marks.append(make("path", { class: "nominal", d: "M" + body.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L") + "Z" }));
        drawPlaces(marks, unit);
      }
      for (const mark of [...p.marks].reverse()) {
        const path = registered() ? mark.laid : mark.path;
        const name = mark.style === "lesion" ? mark.name : mark.name + " " + mark.kind;
        const label = registered() ? [Math.min(mark.laidX + 4 * unit, w - 9 * unit * name.length), mark.laidY + 4 * unit, name]
          : [Math.max(0, Math.min(mark.x + 4 * unit, w - 9 * unit * name.length)), Math.max(mark.y + 4 * unit, 14 * unit), name];
        if (path) addMark(marks, mark.style, markKey(mark), markWords(mark), path, label, unit);
      }
    }
    const long = 10 / p.pixel;
    const y = h - 10 * unit;
    const x = 10 * unit;
    const text = make("text", { class: "rule-text", x: x + long / 2, y: y - 6 * unit }, "10 mm");
    text.style.fontSize = 13 * unit + "px";
    overlay.append(marks, make("path", { class: "rule", d: "M" + x + " " + y + "h" + long }), text, make("path", { class: "cross", id: "cross", d: "" }));
  }
  function listRow(key, lines, soft) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = key;
    button.setAttribute("aria-pressed", "false");
    lines.forEach((text, k) => {
      const line = document.createElement("span");
      line.className = k && !soft ? "soft" : soft ? "soft" : "name";
      line.textContent = text;
      button.append(line);
    });
    button.addEventListener("click", () => choose(key));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }
  function listFound() {
    const list = $("found");
    const rows = picture().marks.map((mark) => listRow(markKey(mark), markWords(mark), mark.style !== "lesion"));
    rows.push(...unseen().map((lesion) => listRow("L" + lesion.number, lesionWords(lesion), true)));
    list.replaceChildren(...rows);
    if (!rows.length) {
      const item = document.createElement("li");
      item.className = "nothing";
      item.textContent = "Nothing passed the threshold here.";
      list.append(item);
    }
  }
  function fit() {
    const stage = document.querySelector(".stage");
    const style = getComputedStyle(stage);
    const rest = [...stage.children].slice(1).reduce((sum, child) => sum + child.offsetHeight, 24);
    const width = stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = Math.max(120, stage.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom) - rest);
    const { w, h } = shape();
    const scale = Math.min(width / w, height / h);
    $("sheet").style.width = Math.floor(w * scale) + "px";
    $("sheet").style.height = Math.floor(h * scale) + "px";
    drawMarks();
  }

  function fill(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, text]) => {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = text;
      option.selected = String(value) === String(chosen);
      return option;
    }));
  }
  const indices = (test) => data.pictures.map((_, i) => i).filter((i) => test(data.pictures[i]));
  function fillControls() {
    const p = picture();
    const days = indices((q) => q.animal === p.animal && q.view === p.view);
    const views = indices((q) => q.animal === p.animal && q.session === p.session && q.day === p.day);
    fill($("day"), days.map((i) => [i, String(data.pictures[i].day)]), now.index);
    fill($("view"), views.map((i) => [i, data.pictures[i].view]), now.index);
    const layers = [["probe", "probe"]];
    if (p.layers.length) ["autofluorescence", ...p.channels].forEach((name, k) => layers.push([k, name]));
    if (!layers.some(([key]) => String(key) === String(now.layer))) now.layer = "probe";
    fill($("layer"), layers, now.layer);
    const k = days.indexOf(now.index);
    $("day-slider").max = days.length - 1;
    $("day-slider").value = k;
    $("day-slider").disabled = days.length < 2;
    $("day-slider").setAttribute("aria-valuetext", "day " + p.day);
    $("day-value").textContent = "day " + p.day + ", " + (k + 1) + " of " + days.length;
    $("day-back").disabled = k <= 0;
    $("day-on").disabled = k >= days.length - 1;
    $("viewer-title").textContent = data.animals[p.animal] + " · " + p.arm + " · day " + p.day + " · " + p.view;
  }
  let turn = 0;
  async function show(index, layer = now.layer, keepWindow = true) {
    const mine = ++turn;
    const p = data.pictures[index];
    const inLayers = layer !== "probe" && p.layers[layer] !== undefined;
    const core = await blob("core", p.animal);
    const bytes = inLayers ? await blob("layers", p.animal) : core;
    if (mine !== turn) return; // a later request overtook this one
    const windowKept = keepWindow && layer === now.layer && now.pixels && layer === "probe";
    now.index = index;
    now.layer = inLayers ? layer : "probe";
    now.core = core;
    now.plane = inLayers ? p.layers[layer] : p.probe;
    now.pixels = levels(bytes, now.plane);
    now.photo = photograph(core, p.photo);
    now.cross = null;
    if (!windowKept) [now.low, now.high] = fullRange();
    setSlider($("low"), now.low);
    setSlider($("high"), now.high);
    fillControls();
    listFound();
    arrange();
    draw();
    fit();
    $("readout").textContent = "Point at the picture to read a pixel.";
  }
  async function open(index, opener) {
    now.opener = opener;
    if (!dialog.open) dialog.showModal();
    $("viewer-title").focus();
    await show(index, "probe", false);
  }
  function step(by) {
    const p = picture();
    const days = indices((q) => q.animal === p.animal && q.view === p.view);
    const next = days[days.indexOf(now.index) + by];
    if (next !== undefined) show(next);
  }

  function read(x, y) {
    const p = picture();
    const { plane, pixels, core } = now;
    const shown = [x, y];
    let where = "";
    if (now.look) {
      const { w } = shape();
      const place = now.look[y * w + x];
      const left = (p.view === "dorsal" ? -1 : 1) * ((x + 0.5) * p.pixel - data.frame.half);
      where = ((y + 0.5) * p.pixel + data.frame.first).toFixed(1) + " mm from the nose, " + Math.abs(left).toFixed(1) + " mm to its " + (left < 0 ? "right" : "left") + ": ";
      if (place < 0) {
        now.cross = shown;
        $("readout").textContent = where + "outside the image";
        return drawCross();
      }
      x = place % p.w;
      y = Math.floor(place / p.w);
    }
    const at = (w, h) => Math.min(h - 1, Math.floor((y * h) / p.h)) * w + Math.min(w - 1, Math.floor((x * w) / p.w));
    const value = plane.o + plane.s * pixels[at(plane.w, plane.h)];
    let text = where || "x " + ((p.x + x) * p.pixel).toFixed(1) + " mm, y " + ((p.y + y) * p.pixel).toFixed(1) + " mm: ";
    if (now.layer === "probe") {
      const level = core[p.sd.at + Math.floor(y / NOISE_BLOCK) * p.sd.w + Math.floor(x / NOISE_BLOCK)];
      text += withDeviation(value, level ? p.sd.o * Math.exp(NOISE_STEP * (level - 1)) : 0);
    } else {
      text += number(value);
    }
    text += " " + data.unit;
    const flags = p.flags ? core[p.flags.at + y * p.w + x] : 0;
    for (const [bit, words] of Object.entries(data.flags)) if (flags & Number(bit)) text += "; " + words;
    $("readout").textContent = text;
    now.cross = shown;
    drawCross();
  }
  function drawCross() {
    const [x, y] = now.cross;
    const cross = $("cross");
    if (cross) cross.setAttribute("d", "M" + (x - 3) + " " + (y + 0.5) + "h7M" + (x + 0.5) + " " + (y - 3) + "v7");
  }
  function readEvent(event) {
    const { w, h } = shape();
    const box = $("sheet").getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) * w) / box.width);
    const y = Math.floor(((event.clientY - box.top) * h) / box.height);
    if (x >= 0 && y >= 0 && x < w && y < h) read(x, y);
  }
  $("sheet").addEventListener("pointermove", readEvent);
  $("sheet").addEventListener("pointerdown", readEvent);

  // ---- controls --------------------------------------------------------------------------------------------------
  for (const id of ["log", "shown", "strength"]) $(id).addEventListener("input", drawLater);
  $("colours").addEventListener("input", () => {
    $("caution").hidden = $("colours").value === "inferno";
    drawLater();
  });
  for (const id of ["low", "high"]) {
    $(id).addEventListener("input", () => {
      now[id] = sliderValue($(id));
      // the two ends push each other, so that the window never turns round
      if (now.high < now.low * 1.05) {
        if (id === "low") now.high = now.low * 1.05;
        else now.low = now.high / 1.05;
        setSlider($("low"), now.low);
        setSlider($("high"), now.high);
      }
      drawLater();
    });
  }
  $("reset").addEventListener("click", () => {
    [now.low, now.high] = fullRange();
    setSlider($("low"), now.low);
    setSlider($("high"), now.high);
    drawLater();
  });
  $("outlines").addEventListener("input", drawMarks);
  function layAgain() {
    now.cross = null;
    arrange();
    draw();
    fit();
  }
  for (const id of ["lay-photo", "lay-registered"]) $(id).addEventListener("input", layAgain);
  $("day-slider").addEventListener("input", () => {
    const p = picture();
    show(indices((q) => q.animal === p.animal && q.view === p.view)[Number($("day-slider").value)]);
  });
  $("day").addEventListener("input", () => show(Number($("day").value)));
  $("view").addEventListener("input", () => show(Number($("view").value)));
  $("layer").addEventListener("input", () => show(now.index, $("layer").value, false));
  $("day-back").addEventListener("click", () => step(-1));
  $("day-on").addEventListener("click", () => step(1));
  const giveBackFocus = () => { if (now.opener) now.opener.focus(); };
  function leave() {
    dialog.close();
    giveBackFocus();
  }
  $("viewer-close").addEventListener("click", leave);
  dialog.addEventListener("close", giveBackFocus); // Esc closes without asking
  dialog.addEventListener("click", (event) => { if (event.target === dialog) leave(); });
  window.addEventListener("resize", () => { if (dialog.open && now.pixels) fit(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !now.pixels) return;
    const own = event.target.matches("input[type=range], input[type=radio], select");
    const key = event.key.toLowerCase();
    const move = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] }[key];
    if (move && event.shiftKey && !own) {
      const { w, h } = shape();
      const [x, y] = now.cross || [Math.floor(w / 2), Math.floor(h / 2)];
      read(Math.min(w - 1, Math.max(0, x + move[0])), Math.min(h - 1, Math.max(0, y + move[1])));
    } else if (move && move[0] && !own) {
      step(move[0]);
    } else if (key === "r") {
      $(registered() ? "lay-photo" : "lay-registered").checked = true;
      layAgain();
    } else if (key === "l" || key === "o") {
      const box = $(key === "l" ? "log" : "shown");
      box.checked = !box.checked;
      drawLater();
    } else {
      return;
    }
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-picture]")) {
    button.addEventListener("click", () => open(Number(button.dataset.picture), button));
  }

  // an address that ends in #picture-7 opens that picture
  function openFromAddress() {
    const match = /^#picture-(\d+)$/.exec(location.hash);
    if (match && data.pictures[Number(match[1])]) open(Number(match[1]), $("picture-" + match[1]));
  }
  window.addEventListener("hashchange", openFromAddress);
  openFromAddress();
  root.dataset.ready = "yes";
})();
