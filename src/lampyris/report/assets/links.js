// One animal, one lesion, everywhere: what the pointer or the focus is on is marked in every picture, curve and table.

import { $, hideTip, showTip } from "./elements.js";

const about = (element) => ({
  animal: element.dataset.animal,
  lesions: (element.dataset.lesion || "").split(" ").filter(Boolean).map(Number),
  day: element.dataset.day === undefined ? NaN : Number(element.dataset.day),
  view: element.dataset.view || "",
  detection: Number(element.dataset.detection || 0),
});

// the same animal, and the same lesion where both name one
function same(a, b) {
  if (a.animal !== b.animal) return false;
  return !a.lesions.length || !b.lesions.length || a.lesions.some((lesion) => b.lesions.includes(lesion));
}

let marked = [];
function mark(link) {
  for (const element of marked) element.classList.remove("linked");
  marked = [];
  document.documentElement.classList.toggle("linking", Boolean(link));
  document.documentElement.dataset.linked = link ? [link.animal, ...link.lesions].join(" ") : "";
  if (!link) return;
  marked = [...document.querySelectorAll("[data-animal]")].filter((element) => same(link, about(element)));
  for (const element of marked) element.classList.add("linked");
}

export function pin(link) {
  for (const element of document.querySelectorAll(".pinned")) element.classList.remove("pinned");
  if (!link) return;
  for (const element of document.querySelectorAll("tr[data-animal], .figure [data-animal]")) {
    element.classList.toggle("pinned", same(link, about(element)));
  }
}

// hover words are shown at once and on touch too: the browser's own come late and only to a mouse
function takeTitles() {
  for (const title of document.querySelectorAll("main svg title")) {
    title.parentElement.dataset.words = title.textContent;
    title.remove();
  }
}

// a row is opened by the button in its first cell of words; a click elsewhere in it does the same
function addRowButtons(open) {
  for (const row of document.querySelectorAll("tr[data-animal]")) {
    const name = row.querySelector("td:not(.number) bdi") || row.querySelector("bdi");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "row-open";
    button.title = "Open in the viewer";
    button.append(...name.childNodes);
    name.append(button);
    row.addEventListener("click", (event) => {
      if (event.target.closest("a") || !document.getSelection().isCollapsed) return;
      open(about(row), button);
    });
  }
}

export function startLinks(open) {
  takeTitles();
  let current = null;
  const enter = (event) => {
    const worded = event.target.closest("[data-words]");
    if (event.type === "pointerover") {
      if (worded) showTip(worded.dataset.words, event.clientX, event.clientY);
      else hideTip();
    } else if (event.target.matches(":focus-visible")) {
      // by the keyboard; a tap moves the focus too, and its words are to stay
      const box = event.target.getBoundingClientRect();
      if (worded) showTip(worded.dataset.words, box.right, box.top);
      else hideTip();
    }
    const element = event.target.closest("[data-animal]");
    if (element === current) return;
    current = element;
    mark(element && about(element));
  };
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, enter);
  document.addEventListener("pointermove", (event) => {
    const worded = event.pointerType === "mouse" && event.target.closest("[data-words]");
    if (worded) showTip(worded.dataset.words, event.clientX, event.clientY);
  });
  // words stay while the list beside the picture brings their row into sight
  const scrolled = (event) => { if (event.target === document || !event.target.closest(".controls")) hideTip(); };
  document.addEventListener("scroll", scrolled, { capture: true, passive: true });
  document.documentElement.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "mouse") return; // a finger leaves whenever it is lifted
    current = null;
    mark(null);
    hideTip();
  });
  if (!$("viewer")) return;
  addRowButtons(open);
  // points and lines of the figures; with a finger the first tap shows the words, the second opens
  let tapped = null;
  for (const figure of document.querySelectorAll("main .figure")) {
    figure.addEventListener("pointerup", (event) => {
      const element = event.target.closest("[data-animal]");
      if (!element) return;
      if (event.pointerType === "mouse" || tapped === element) open(about(element), null);
      tapped = element;
    });
  }
}
