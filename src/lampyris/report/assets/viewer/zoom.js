// Where the picture lies in its pane: fitted, or larger about a point. Lengths in pixels of the screen.

const MOST = 24; // times the fitted size

const between = (value, low, high) => Math.min(high, Math.max(low, value));

export class Zoom {
  constructor() {
    this.factor = 1;
    this.x = this.y = 0;
    this.base = 1;
    this.picture = this.pane = { w: 1, h: 1 };
  }
  // pixels of the screen per pixel of the picture
  get scale() {
    return this.base * this.factor;
  }
  get zoomed() {
    return this.factor > 1.001;
  }
  fit(picture, pane) {
    // the place in the middle of the pane stays there
    const middle = this.toPicture(this.pane.w / 2, this.pane.h / 2);
    const other = picture.w !== this.picture.w || picture.h !== this.picture.h;
    Object.assign(this, { picture, pane, base: Math.max(1e-3, Math.min(pane.w / picture.w, pane.h / picture.h)) });
    if (!other) [this.x, this.y] = [pane.w / 2 - middle[0] * this.scale, pane.h / 2 - middle[1] * this.scale];
    this.hold();
  }
  about(ratio, px, py) {
    const before = this.scale;
    this.factor = between(this.factor * ratio, 1, MOST);
    const change = this.scale / before;
    this.x = px - (px - this.x) * change;
    this.y = py - (py - this.y) * change;
    this.hold();
  }
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.hold();
  }
  reset() {
    this.factor = 1;
    this.hold();
  }
  // the picture stays in the pane: in its middle where it is smaller, without a gap where it is larger
  hold() {
    const held = (at, length, room) => (length <= room ? (room - length) / 2 : between(at, room - length, 0));
    this.x = held(this.x, this.picture.w * this.scale, this.pane.w);
    this.y = held(this.y, this.picture.h * this.scale, this.pane.h);
  }
  toPicture(px, py) {
    return [(px - this.x) / this.scale, (py - this.y) / this.scale];
  }
  toPane(x, y) {
    return [this.x + x * this.scale, this.y + y * this.scale];
  }
}

// a round length for the scale bar, and its size on the screen
export function ruleFor(pixelMm, scale, most) {
  const perMm = scale / pixelMm;
  const lengths = [0.5, 1, 2, 5, 10, 20, 50].filter((mm) => mm * perMm <= most);
  const mm = lengths.length ? lengths[lengths.length - 1] : 0.5;
  return { mm, size: mm * perMm };
}
