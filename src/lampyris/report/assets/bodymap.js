// The body map: tints and dots follow the slider of days, words follow the pointer or the focus.

import { $ } from "./elements.js";

export function startBodyMap() {
  const store = $("map-data");
  if (!store) return;
  const map = JSON.parse(store.textContent);
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
      shape.dataset.words = organ.words[k];
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
    const shape = event.target.closest(".tint, .dot");
    if (shape && shape.dataset.words) $("map-words").textContent = shape.dataset.words;
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
