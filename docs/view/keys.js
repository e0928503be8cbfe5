// The keys of the page. Single letters can be switched off, are off while one types, and act on nothing out of sight.

import { inLecture, settings } from "./settings.js";

const help = document.getElementById("help");
const keys = new Map();
const STEPS = {
  ...{ ArrowDown: "ArrowRight", " ": "ArrowRight", PageDown: "ArrowRight" },
  ...{
    ArrowUp: "ArrowLeft",
    PageUp: "ArrowLeft",
    ArrowRight: "ArrowRight",
    ArrowLeft: "ArrowLeft",
  },
};
const SHOWN = {
  ArrowRight: "→ ↓ Space PageDown",
  ArrowLeft: "← ↑ PageUp",
  Escape: "Esc",
  "-": "−",
};
const ALWAYS = ["ArrowRight", "ArrowLeft", "Home", "End", "Escape", "?"]; // not single letters
const LECTURE = ["ArrowRight", "ArrowLeft", "Home", "End"];
const TYPED =
  'textarea, input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"], [type="file"])';
const TAKES = "svg.drawing, input, select, textarea, summary"; // what has keys of its own

export function addKey(key, description, handler) {
  keys.set(key, { description, handler });
}

let finder = () => false;
export const findWith = (find) => {
  finder = find;
};
// Brings one of these pictures into sight, if none of them is. False: there is none to be seen.
export const go = (names) => finder(names);

export function showHelp() {
  if (help.open) return help.close();
  const box = document.getElementById("keys");
  box.replaceChildren();
  for (const [key, { description }] of keys) {
    if (!description) continue;
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    for (const name of (SHOWN[key] || key).split(" ")) {
      const kbd = document.createElement("kbd");
      kbd.textContent = name;
      dt.append(kbd, " ");
    }
    dd.textContent = description;
    const pair = document.createElement("div");
    pair.append(dt, dd);
    box.append(pair);
  }
  help.showModal();
}

// In lecture mode a picture, slider or field takes keys only after Enter, or after a click into a field, and gives them
// back with Escape: a presenter's remote is never stuck.
let entered = null;
function release() {
  entered?.classList.remove("entered");
  entered = null;
}
function enter(target) {
  release();
  entered = target;
  target.classList.add("entered");
}
addEventListener("focusout", release);
addEventListener("pointerdown", ({ target }) => {
  if (inLecture() && target instanceof Element && target.matches(TYPED))
    setTimeout(() => enter(target));
});

function lectureKey(event, target) {
  const remote = event.key === "PageUp" || event.key === "PageDown";
  const own = target.closest(TAKES);
  if (entered && entered === own && !remote) {
    if (event.key !== "Escape") return false; // its own
    release();
    if (own.matches(TYPED)) own.blur();
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
  const pressed = event.key === " " || event.key === "Enter";
  if (event.key === "Enter" && own && !own.matches("summary, [type=checkbox], [type=file]")) {
    enter(own);
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
  const step = STEPS[event.key];
  if (!step || (pressed && event.key === "Enter")) return false;
  event.preventDefault();
  event.stopPropagation();
  keys.get(step).handler(event);
  return true;
}

// Escape leaves one thing at a time: the innermost that there is.
const leaving = []; // [() => was there something to leave?, ...], the innermost first
export const leaves = (leave) => leaving.push(leave);

export function begin() {
  addEventListener(
    "keydown",
    (event) => {
      const target = event.target instanceof Element ? event.target : document.body;
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (modified || event.isComposing || help.open || !inLecture()) return;
      lectureKey(event, target);
    },
    { capture: true },
  );
  addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (event.defaultPrevented || (modified && !event.getModifierState("AltGraph"))) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (help.open) {
      if (event.key === "?") {
        event.preventDefault();
        help.close();
      }
      return;
    }
    if (event.key === "Escape") {
      if (leaving.some((leave) => leave())) event.preventDefault();
      return;
    }
    if (target.matches(`${TYPED}, select, [contenteditable]`) || (entered && entered === target))
      return;
    const entry = keys.get(event.key);
    if (!entry || (LECTURE.includes(event.key) && !inLecture())) return;
    if (!ALWAYS.includes(event.key) && settings.value.keys !== "1") return;
    event.preventDefault();
    entry.handler(event);
  });
}
