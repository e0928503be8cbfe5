// What the reader has chosen: remembered on this machine, never part of a link.

import { effect, signal } from "@preact/signals-core";

const root = document.documentElement;
const phone = innerWidth < 700;
const onOff = ["0", "1"];

export const allowed = {
  code: onOff,
  talk: ["all", "paragraphs", "none"],
  numbers: onOff,
  pictures: onOff,
  lines: onOff,
  size: Array.from({ length: 29 }, (_, i) => String(12 + i)),
  theme: ["system", "light", "dark"],
  bar: onOff,
  keys: onOff,
  lecture: onOff,
};
export const defaults = {
  ...{ code: "1", talk: "all", numbers: "1", pictures: "1", lines: phone ? "0" : "1" },
  ...{ size: phone ? "16" : "18", theme: "system", bar: "0", keys: "1", lecture: "0" },
};

function remembered() {
  const found = {};
  let text = "";
  try {
    text = localStorage.getItem("microgpt view") || "";
  } catch {
    // not allowed here: nothing is remembered
  }
  for (const [key, value] of new URLSearchParams(text)) {
    if (allowed[key]?.includes(value)) found[key] = value;
  }
  return found;
}

export const settings = signal({ ...defaults, ...remembered() });

export function change(changes) {
  settings.value = { ...settings.value, ...changes };
  try {
    localStorage.setItem("microgpt view", new URLSearchParams(settings.value).toString());
  } catch {
    // the same
  }
}
export const flip = (key) => change({ [key]: settings.value[key] === "1" ? "0" : "1" });
export function turn(key) {
  const values = allowed[key];
  change({ [key]: values[(values.indexOf(settings.value[key]) + 1) % values.length] });
}
export const grow = (by) => {
  change({ size: String(Math.min(40, Math.max(12, Number(settings.value.size) + by))) });
};
export const inLecture = () => settings.value.lecture === "1";

// ---- The bar that shows and changes them ----

export const bar = document.getElementById("bar");
const dark = matchMedia("(prefers-color-scheme: dark)");

export function measure() {
  const fixed = settings.value.bar === "1" && getComputedStyle(bar).position === "sticky";
  root.style.setProperty("--bar-height", `${fixed ? bar.offsetHeight : 0}px`);
}
export const barHeight = () => parseFloat(root.style.getPropertyValue("--bar-height")) || 0;

function show() {
  const now = settings.value;
  const before = [root.dataset.theme, root.style.fontSize, root.dataset.lecture].join();
  for (const key of ["code", "talk", "numbers", "pictures", "lines", "bar", "lecture"]) {
    root.dataset[key] = now[key];
  }
  const system = dark.matches ? "dark" : "light";
  root.dataset.theme = now.theme === "system" ? system : now.theme;
  root.style.fontSize = `${now.size}px`;
  for (const key of ["code", "numbers", "pictures", "lines", "keys", "lecture"]) {
    bar.elements[key].checked = now[key] === "1";
  }
  bar.elements["talk-column"].checked = now.talk !== "none";
  bar.elements.talk.value = now.talk;
  bar.elements.size.value = now.size;
  bar.elements["size-shown"].value = `${now.size} px`;
  bar.elements.theme.value = now.theme;
  measure();
  if (before !== [root.dataset.theme, root.style.fontSize, root.dataset.lecture].join()) {
    document.dispatchEvent(new CustomEvent("view:change"));
  }
}

export const talkColumn = () => change({ talk: settings.value.talk === "none" ? "all" : "none" });

export function begin() {
  effect(show);
  dark.addEventListener("change", show);
  new ResizeObserver(measure).observe(bar);
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("input", ({ target }) => {
    const { name, value, checked, type } = target;
    if (name === "talk-column") talkColumn();
    else if (name in allowed && name !== "lecture")
      change({ [name]: type === "checkbox" ? (checked ? "1" : "0") : value });
  });
}
