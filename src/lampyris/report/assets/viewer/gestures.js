// Mouse, pen and fingers on the pane: hover, tap, double tap, drag, pinch, wheel. Places are relative to the pane.

const STILL = 5; // a pointer that moved less, in pixels of the screen, has tapped
const TWICE_MS = 320;

export function listenTo(pane, { hover, tap, twice, pan, zoom, zoomed, leave }) {
  const down = new Map();
  let moved = false;
  let last = null;
  const place = (event) => {
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  pane.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (!down.size) moved = false;
    down.set(event.pointerId, place(event));
    if (down.size > 1) moved = true;
    else hover(place(event), event);
  });
  pane.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      hover(now, event);
      return;
    }
    if (!moved && Math.hypot(now.x - before.x, now.y - before.y) < STILL) return;
    if (!moved) pane.setPointerCapture(event.pointerId);
    moved = true;
    if (down.size === 2) {
      const other = [...down].find(([id]) => id !== event.pointerId)[1];
      const middle = (a) => [(a.x + other.x) / 2, (a.y + other.y) / 2];
      const apart = (a) => Math.max(8, Math.hypot(a.x - other.x, a.y - other.y));
      const [from, to] = [middle(before), middle(now)];
      pan(to[0] - from[0], to[1] - from[1]);
      zoom(apart(now) / apart(before), ...to);
    } else if (down.size === 1 && zoomed()) {
      pan(now.x - before.x, now.y - before.y);
    } else if (down.size === 1) {
      hover(now, event);
    }
    down.set(event.pointerId, now);
  });
  const up = (event) => {
    if (!down.delete(event.pointerId) || down.size || moved || event.type === "pointercancel") return;
    const now = place(event);
    const again = last && event.timeStamp - last.time < TWICE_MS && Math.hypot(now.x - last.x, now.y - last.y) < 24;
    last = again ? null : { ...now, time: event.timeStamp };
    if (again) twice(now, event);
    else tap(now, event);
  };
  for (const name of ["pointerup", "pointercancel"]) pane.addEventListener(name, up);
  // a finger leaves whenever it is lifted
  pane.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  pane.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    // lines and pages of a wheel count for more than pixels of a touch pad
    const step = event.deltaY * [1, 24, 240][event.deltaMode];
    zoom(Math.exp(-Math.max(-240, Math.min(240, step)) / 320), x, y);
  }, { passive: false });
}
