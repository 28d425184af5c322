// What is looked at, and how: the viewer's state, apart from the page that shows it.

export class Looking {
  constructor(data) {
    this.data = data;
    this.index = 0;
    this.layer = "probe"; // or a number among the picture's further layers
    this.range = "shared"; // or "own"
    this.low = data.window[0];
    this.high = data.window[1];
    this.log = true;
    this.palette = "inferno";
    this.shown = true;
    this.strength = 1;
    this.registered = false;
    this.outlines = true;
    this.others = true;
    this.chosen = ""; // key of a mark
    this.cross = null; // pixel of the picture as shown
  }
  get picture() {
    return this.data.pictures[this.index];
  }
  // size of what is shown, in pixels of the image: the picture's own frame, or the nominal animal's
  get shape() {
    const { picture, data: { frame } } = this;
    if (!this.registered) return { w: picture.w, h: picture.h };
    return { w: Math.round((2 * frame.half) / picture.pixel), h: Math.round((frame.last - frame.first) / picture.pixel) };
  }
  indices(test) {
    return this.data.pictures.map((_, i) => i).filter((i) => test(this.data.pictures[i]));
  }
  get days() {
    const p = this.picture;
    return this.indices((q) => q.animal === p.animal && q.view === p.view).sort((a, b) => this.data.pictures[a].day - this.data.pictures[b].day);
  }
  get views() {
    const p = this.picture;
    return this.indices((q) => q.animal === p.animal && q.session === p.session && q.day === p.day);
  }
  get layers() {
    const names = [["probe", "probe"]];
    if (this.picture.layers.length) ["autofluorescence", ...this.picture.channels].forEach((name, k) => names.push([k, name]));
    return names;
  }
  get layerName() {
    return this.layer === "probe" ? "probe" : this.layers[Number(this.layer) + 1][1];
  }
  // the picture of an animal that is most like the present one: its view, and the nearest day
  like(animal) {
    const p = this.picture;
    const own = this.indices((q) => q.animal === animal);
    const away = (i) => Math.abs(this.data.pictures[i].day - p.day) + (this.data.pictures[i].view === p.view ? 0 : 1e6);
    return own.reduce((best, i) => (best === undefined || away(i) < away(best) ? i : best), undefined);
  }
  dayStep(by) {
    return this.days[this.days.indexOf(this.index) + by];
  }
  animalStep(by) {
    const next = this.data.order[this.data.order.indexOf(this.picture.animal) + by];
    return next === undefined ? undefined : this.like(next);
  }
  viewStep() {
    return this.views[(this.views.indexOf(this.index) + 1) % this.views.length];
  }
  layerStep() {
    const keys = this.layers.map(([key]) => String(key));
    return keys[(keys.indexOf(String(this.layer)) + 1) % keys.length];
  }
  sharedRange() {
    return this.layer === "probe" ? this.data.window : this.data.windows[this.layerName];
  }
  // the two ends push each other, so that the window never turns round
  setEnd(end, value) {
    this[end] = value;
    if (this.high >= this.low * 1.05) return;
    if (end === "low") this.high = this.low * 1.05;
    else this.low = this.high / 1.05;
  }
  lesions() {
    return this.data.lesions[this.picture.animal];
  }
  lesion(number) {
    return this.lesions().find((lesion) => lesion.number === number);
  }
  // lesions of the animal that this picture does not outline
  unseen() {
    const shown = new Set(this.picture.marks.flatMap((mark) => mark.lesions));
    return this.lesions().filter((lesion) => !shown.has(lesion.number) && lesion.days[this.picture.session]);
  }
  markOf(key) {
    return this.picture.marks.find((mark) => markKey(mark) === key);
  }
  // the picture for what a row or a mark of the page is about
  find({ animal, lesions, day, view, detection }) {
    const who = this.data.animals.indexOf(animal);
    let own = this.indices((q) => q.animal === who);
    const narrow = (test) => {
      const kept = own.filter((i) => test(this.data.pictures[i]));
      if (kept.length) own = kept;
    };
    if (Number.isFinite(day)) narrow((q) => q.day === day);
    if (view) narrow((q) => q.view === view);
    if (detection) narrow((q) => q.marks.some((mark) => mark.number === detection));
    if (lesions.length) narrow((q) => q.marks.some((mark) => lesions.some((lesion) => mark.lesions.includes(lesion))));
    if (!own.length) return undefined;
    const last = Math.max(...own.map((i) => this.data.pictures[i].day));
    return own.find((i) => this.data.pictures[i].day === last);
  }
}

export const markKey = (mark) => (mark.lesions.length ? "L" + mark.lesions.join("+") : "D" + mark.number);

// words of a lesion, and what this session says of it
export const lesionWords = (lesion, session) => {
  const here = lesion.days[session];
  return here ? [...lesion.lines, here[1]] : lesion.lines;
};
export const markWords = (looking, mark) => {
  const lines = mark.lesions.flatMap((number) => lesionWords(looking.lesion(number), looking.picture.session));
  if (!mark.lesions.length) lines.push(mark.number + " · " + mark.kind + (mark.region ? " · " + mark.region : ""));
  return [...lines, mark.flux, mark.z, ...(mark.flags ? [mark.flags] : [])];
};
