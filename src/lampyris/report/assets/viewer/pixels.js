// Pixels: unpacked from the page's deflated blobs, coloured through a table, painted onto a canvas. Knows no control.

const NOISE_STEP = 0.05; // of the packed noise map, which is logarithmic
const NOISE_BLOCK = 4;
const MOST_BLOBS = 6; // unpacked at a time: a few animals
const BLACK = 255 << 24;
const CLEAR = 0; // entry of a level that shows the photograph

export const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// blobs by name, unpacked when first asked for; the least recently used are forgotten
export class Blobs {
  constructor(textOf) {
    this.textOf = textOf;
    this.known = new Map();
  }
  get(name) {
    let blob = this.known.get(name);
    this.known.delete(name);
    if (!blob) {
      const plain = new Blob([bytesOf(this.textOf(name))]).stream().pipeThrough(new DecompressionStream("deflate"));
      blob = new Response(plain).arrayBuffer().then((buffer) => new Uint8Array(buffer));
    }
    this.known.set(name, blob);
    if (this.known.size > MOST_BLOBS) this.known.delete(this.known.keys().next().value);
    return blob;
  }
}

export function levelsOf(bytes, plane) {
  const n = plane.h * plane.w;
  const out = new Uint16Array(n);
  for (let i = 0, high = plane.at, low = plane.at + n; i < n; i++) out[i] = (bytes[high + i] << 8) | bytes[low + i];
  return out;
}

export function photographOf(bytes, place) {
  const out = new Uint8Array(place.h * place.w);
  for (let y = 0, i = 0; y < place.h; y++) {
    for (let x = 0, sum = 0; x < place.w; x++, i++) out[i] = sum = (sum + bytes[place.at + i]) & 255;
  }
  return out;
}

// standard deviation of a pixel of the probe map; 0 where it is not known
export function deviationAt(bytes, sd, x, y) {
  const level = bytes[sd.at + Math.floor(y / NOISE_BLOCK) * sd.w + Math.floor(x / NOISE_BLOCK)];
  return level ? sd.o * Math.exp(NOISE_STEP * (level - 1)) : 0;
}

// ends of a picture's own range: a twentieth of its lit pixels lie below, none above
export function ownRange(plane, pixels) {
  const sorted = pixels.slice().sort();
  const value = (level) => plane.o + plane.s * level;
  const high = Math.max(value(sorted[sorted.length - 1]), plane.s);
  const lit = sorted.findIndex((level) => value(level) > 0);
  const low = lit < 0 ? 0 : value(sorted[Math.floor(lit + 0.05 * (sorted.length - lit))]);
  return [Math.min(Math.max(low, high / 1000), high / 2), high];
}

// the picture's pixel under each pixel of the nominal animal's frame, through the mesh; -1 where there is none
export function registeredLook(picture, frame, { w, h }) {
  const out = new Int32Array(w * h);
  const { mesh, pixel } = picture;
  const stations = mesh.length / 4 - 1;
  for (let y = 0, i = 0; y < h; y++) {
    const at = ((y + 0.5) * pixel) / frame.step;
    const k = Math.min(stations - 1, Math.floor(at));
    const t = at - k;
    const node = (n) => (mesh[4 * k + n] * (1 - t) + mesh[4 * k + 4 + n] * t) / 10;
    const [x0, y0, x1, y1] = [node(0), node(1), node(2), node(3)];
    for (let x = 0; x < w; x++, i++) {
      const u = ((x + 0.5) * pixel) / (2 * frame.half);
      const px = Math.floor(x0 + (x1 - x0) * u);
      const py = Math.floor(y0 + (y1 - y0) * u);
      out[i] = px >= 0 && py >= 0 && px < picture.w && py < picture.h ? py * picture.w + px : -1;
    }
  }
  return out;
}

// where a plane, which may be coarser than the image, holds each pixel shown
export function placesIn(plane, picture, look, { w, h }) {
  const out = new Int32Array(w * h);
  const columns = Int32Array.from({ length: picture.w }, (_, x) => Math.min(plane.w - 1, Math.floor((x * plane.w) / picture.w)));
  const rows = Int32Array.from({ length: picture.h }, (_, y) => Math.min(plane.h - 1, Math.floor((y * plane.h) / picture.h)) * plane.w);
  for (let i = 0; i < out.length; i++) {
    const at = look ? look[i] : i;
    out[i] = at < 0 ? -1 : rows[Math.floor(at / picture.w)] + columns[at % picture.w];
  }
  return out;
}

export const indexAt = (plane, picture, x, y) =>
  Math.min(plane.h - 1, Math.floor((y * plane.h) / picture.h)) * plane.w + Math.min(plane.w - 1, Math.floor((x * plane.w) / picture.w));

// colour of each level, as the canvas holds it
const lut = new Uint32Array(65536);
function buildLut(plane, low, high, log, palette) {
  const scale = log ? 1 / Math.log(high / low) : 1 / (high - low);
  for (let level = 0; level < 65536; level++) {
    const value = plane.o + plane.s * level;
    if (!(value > low)) {
      lut[level] = CLEAR;
      continue;
    }
    const share = log ? Math.log(value / low) * scale : (value - low) * scale;
    const c = 3 * Math.min(255, Math.round(255 * share));
    lut[level] = BLACK | (palette[c + 2] << 16) | (palette[c + 1] << 8) | palette[c];
  }
}

// what is shown: {plane, pixels, at, photo, photoAt}; how: {low, high, log, palette, strength}
export function paint(canvas, { w, h }, shown, how) {
  buildLut(shown.plane, how.low, how.high, how.log, how.palette);
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d");
  const image = context.createImageData(w, h);
  const out = new Uint32Array(image.data.buffer);
  const { pixels, at, photo, photoAt } = shown;
  const { strength } = how;
  for (let i = 0; i < out.length; i++) {
    if (at[i] < 0) {
      out[i] = BLACK;
      continue;
    }
    const grey = photo[photoAt[i]];
    const colour = strength ? lut[pixels[at[i]]] : CLEAR;
    if (colour === CLEAR) {
      out[i] = BLACK | (grey << 16) | (grey << 8) | grey;
    } else if (strength === 1) {
      out[i] = colour;
    } else {
      const keep = grey * (1 - strength);
      const r = keep + (colour & 255) * strength;
      const g = keep + ((colour >> 8) & 255) * strength;
      const b = keep + ((colour >> 16) & 255) * strength;
      out[i] = BLACK | (b << 16) | (g << 8) | r;
    }
  }
  context.putImageData(image, 0, 0);
}

export function paintBar(canvas, palette) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([palette[3 * i], palette[3 * i + 1], palette[3 * i + 2], 255], 4 * i);
  context.putImageData(image, 0, 0);
}
