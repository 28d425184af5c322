// Small pieces that every part of the page uses: elements by identity, new ones, announcements, the clipboard, hover words.

const SVG = "http://www.w3.org/2000/svg";
export const $ = (id) => document.getElementById(id);

export function svgElement(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function htmlElement(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

export function fillSelect(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => {
    const option = htmlElement("option", { value: String(value), textContent: text });
    option.selected = String(value) === String(chosen);
    return option;
  }));
}

// what floats lies in the dialog on top, if there is one: the page below it is inert
const topmost = () => [...document.querySelectorAll("dialog[open]")].pop() || document.body;

let silence = 0;
export function say(text) {
  topmost().append($("said"));
  $("said").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { $("said").textContent = ""; }, 2500);
}

export async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a file opened from disk may have no clipboard of its own: fall back on a selection
    const area = htmlElement("textarea", { value: text });
    topmost().append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(what + " copied");
}

export function showTip(words, x, y) {
  const tip = $("tip");
  topmost().append(tip);
  tip.textContent = words;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, x + 14), window.innerWidth - width - 8);
  const top = y + 18 + height > window.innerHeight ? Math.max(8, y - height - 14) : y + 18;
  tip.style.translate = left + "px " + top + "px";
}
export function hideTip() {
  $("tip").hidden = true;
}
