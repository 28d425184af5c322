// Outlines, names, places and the cross over the picture, as SVG in the picture's own pixels.

import { svgElement } from "../elements.js";
import { lesionWords, markKey, markWords } from "./looking.js";

const linesOf = (words) => words.join("\n");

function addMark(looking, marks, { style, key, words, path, label, unit, lesions, detection }) {
  const { picture, data } = looking;
  const group = svgElement("g", { class: "mark " + style + (looking.chosen === key ? " chosen" : ""), "data-key": key, "data-words": linesOf(words) });
  group.setAttribute("data-animal", data.animals[picture.animal]);
  if (lesions.length) group.setAttribute("data-lesion", lesions.join(" "));
  if (detection) group.setAttribute("data-detection", detection);
  group.append(svgElement("path", { d: path, class: "halo" }), svgElement("path", { d: path }));
  const text = svgElement("text", { x: label[0], y: label[1] }, label[2]);
  text.style.fontSize = 14 * unit + "px";
  group.append(text);
  marks.append(group);
}

// where a lesion lies in the registered picture
export const lesionSpot = (lesion, { frame }, p) => [
  (frame.half + (p.view === "dorsal" ? -1 : 1) * lesion.at[1]) / p.pixel,
  (lesion.at[0] - frame.first) / p.pixel,
];

const ringAt = (x, y, r) => "M" + (x - r) + " " + y + "a" + r + " " + r + " 0 1 0 " + 2 * r + " 0a" + r + " " + r + " 0 1 0 " + -2 * r + " 0Z";

function addPlaces(looking, marks, unit) {
  const { picture: p, data } = looking;
  for (const lesion of looking.unseen()) {
    if (!lesion.at.length || lesion.style !== "lesion") continue;
    const [x, y] = lesionSpot(lesion, data, p);
    const r = 2.5 / p.pixel;
    addMark(looking, marks, {
      style: "other unseen", key: "L" + lesion.number, words: lesionWords(lesion, p.session), path: ringAt(x, y, r),
      label: [x + 1.1 * r, y - 0.6 * r, lesion.name], unit, lesions: [lesion.number], detection: 0,
    });
  }
  const outlined = new Set(p.marks.flatMap((mark) => mark.lesions));
  for (const lesion of looking.lesions()) {
    if (!lesion.at.length || (lesion.style !== "lesion" && !outlined.has(lesion.number))) continue;
    const [x, y] = lesionSpot(lesion, data, p);
    // arms of the cross are its intervals, at least one millimetre
    const [b, a] = [Math.max(1, lesion.at[3]) / p.pixel, Math.max(1, lesion.at[2]) / p.pixel];
    marks.append(svgElement("path", { class: "place", d: "M" + (x - b) + " " + y + "h" + 2 * b + "M" + x + " " + (y - a) + "v" + 2 * a }));
  }
}

export function drawOverlay(overlay, looking, zoom) {
  const { picture: p, data, shape: { w } } = looking;
  // type and rule keep their size on the screen whatever the picture's scale
  const unit = 1 / zoom.scale;
  overlay.setAttribute("viewBox", [-zoom.x * unit, -zoom.y * unit, zoom.pane.w * unit, zoom.pane.h * unit].join(" "));
  const marks = svgElement("g", { class: "marks" });
  if (looking.outlines) {
    if (looking.registered) {
      const body = data.outline.map(([x, y]) => [(x + data.frame.half) / p.pixel, (y - data.frame.first) / p.pixel]);
      marks.append(svgElement("path", { class: "nominal", d: "M" + body.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L") + "Z" }));
      addPlaces(looking, marks, unit);
    }
    for (const mark of [...p.marks].reverse()) {
      const path = looking.registered ? mark.laid : mark.path;
      if (!path || (mark.style !== "lesion" && !looking.others)) continue;
      const name = mark.style === "lesion" ? mark.name : mark.name + " " + mark.kind;
      const [x, y] = looking.registered ? [mark.laidX, mark.laidY] : [mark.x, mark.y];
      const label = [Math.max(0, Math.min(x + 4 * unit, w - 9 * unit * name.length)), Math.max(y + 4 * unit, 14 * unit), name];
      addMark(looking, marks, {
        style: mark.style, key: markKey(mark), words: markWords(looking, mark), path, label, unit, lesions: mark.lesions, detection: mark.number,
      });
    }
  }
  overlay.replaceChildren(marks, svgElement("path", { class: "cross", id: "cross", d: "" }));
  drawCross(overlay, looking, zoom);
}

export function drawCross(overlay, looking, zoom) {
  const cross = overlay.querySelector("#cross");
  if (!cross) return;
  if (!looking.cross) {
    cross.setAttribute("d", "");
    return;
  }
  const [x, y] = looking.cross;
  const arm = Math.max(3, 9 / zoom.scale);
  cross.setAttribute("d", "M" + (x + 0.5 - arm) + " " + (y + 0.5) + "h" + 2 * arm + "M" + (x + 0.5) + " " + (y + 0.5 - arm) + "v" + 2 * arm);
}
