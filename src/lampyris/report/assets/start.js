// Starts the page: tables and body map, then the viewer if there are pictures, and the links between them.

import { $ } from "./elements.js";
import { startBodyMap } from "./bodymap.js";
import { startLinks } from "./links.js";
import { startPaper } from "./paper.js";
import { startTables } from "./tables.js";
import { Viewer } from "./viewer/viewer.js";

function startViewer() {
  const store = $("viewer-data");
  if (!store) return null;
  const data = JSON.parse(store.textContent);
  const viewer = new Viewer(data, (name) => $(name).textContent);
  for (const button of document.querySelectorAll("[data-picture]")) {
    button.addEventListener("click", (event) => {
      const mark = event.target.closest(".mark");
      const key = mark && mark.dataset.lesion ? "L" + mark.dataset.lesion.split(" ").join("+") : "";
      viewer.open(Number(button.dataset.picture), button, key);
    });
  }
  // an address that ends in #picture-7 opens that picture
  const openFromAddress = () => {
    const match = /^#picture-(\d+)$/.exec(location.hash);
    if (match && data.pictures[Number(match[1])]) viewer.open(Number(match[1]), $("picture-" + match[1]));
  };
  window.addEventListener("hashchange", openFromAddress);
  openFromAddress();
  return viewer;
}

startTables();
const viewer = startViewer();
startLinks((link, opener) => viewer.openLink(link, opener));
startBodyMap();
startPaper();
document.documentElement.dataset.ready = "yes";
