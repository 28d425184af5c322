// A pixel in words: where it is, its value with uncertainty and unit, its place in the image file, what is wrong with it.

import { number, withDeviation } from "../numbers.js";
import { deviationAt, indexAt } from "./pixels.js";

// the picture's own pixel under a pixel as shown; null outside the image
export function ownPixel(looking, shown, x, y) {
  if (!shown.look) return [x, y];
  const at = shown.look[y * looking.shape.w + x];
  return at < 0 ? null : [at % looking.picture.w, Math.floor(at / looking.picture.w)];
}

function whereWords(looking, x, y) {
  const { picture: p, data: { frame } } = looking;
  if (!looking.registered) return "x " + ((p.x + x) * p.pixel).toFixed(1) + " mm, y " + ((p.y + y) * p.pixel).toFixed(1) + " mm: ";
  const left = (p.view === "dorsal" ? -1 : 1) * ((x + 0.5) * p.pixel - frame.half);
  return ((y + 0.5) * p.pixel + frame.first).toFixed(1) + " mm from the nose, " + Math.abs(left).toFixed(1) + " mm to its " + (left < 0 ? "right" : "left") + ": ";
}

export function pixelWords(looking, shown, x, y) {
  const { picture: p, data } = looking;
  const where = whereWords(looking, x, y);
  const own = ownPixel(looking, shown, x, y);
  if (!own) return { value: where + "outside the image", more: "" };
  const { plane, pixels, core } = shown;
  const level = plane.o + plane.s * pixels[indexAt(plane, p, ...own)];
  const probe = looking.layer === "probe";
  const deviation = probe ? deviationAt(core, p.sd, ...own) : plane.n;
  let value = where + (deviation > 0 ? withDeviation(level, deviation) : number(level)) + " " + data.unit;
  if (!probe && deviation > 0) value += " (typical pixel noise)";
  const flags = p.flags ? core[p.flags.at + own[1] * p.w + own[0]] : 0;
  for (const [bit, words] of Object.entries(data.flags)) if (flags & Number(bit)) value += "; " + words;
  const [row, column] = [p.top + p.y + own[1], p.left + p.x + own[0]];
  return { value, more: p.file ? "row " + row + ", column " + column + " of " + p.file : "" };
}
