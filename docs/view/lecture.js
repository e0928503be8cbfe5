// Lecture mode: the page as slides, one thought at a time, as large as the screen allows.

import { effect } from "@preact/signals-core";
import { drawIn } from "../pictures/picture.js";
import { addKey, leaves } from "./keys.js";
import * as places from "./places.js";
import { bar, change, defaults, inLecture, settings } from "./settings.js";

const spoken = document.getElementById("spoken");
const LINES = [28, 34, 42]; // lines of type on a screen: the sizes in which a thought may be set
const SPLIT = [34, 42, 52, 64]; // and those of a thought that goes in screenfuls
const PICTURE = [26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 49, 52, 55, 58, 64]; // and those of a picture
const SMALLEST_PICTURE = 0.45;
const DRAWN = "figure, [data-picture], .drawn-beside";
const tooTall = new WeakMap(); // thoughts that did not fit, and on which screen: so they stay divided, however they are drawn
let part = 0; // which screenful of a thought that is taller than the screen; -1: the last
let many = 1; // of how many
let settled = 0; // the height of the slide when it was set
const growth = new ResizeObserver(() => {
  const { height, bottom } = current().getBoundingClientRect();
  if (inLecture() && height > settled + 1 && bottom > innerHeight - 48) light(); // something was opened on it
});

function current() {
  const { at } = places;
  const all = places.stops;
  return (
    all.find((stop) => stop.dataset.at === at) ||
    all.find((stop) => stop.dataset.at.split(".")[0] === at.split(".")[0]) ||
    all[0]
  );
}

function clear() {
  for (const element of document.querySelectorAll(".lit, .here, .part, .parted")) {
    element.classList.remove("lit", "here", "part", "parted");
    element.style.fontSize = element.style.zoom = element.style.width = "";
    element.removeAttribute("aria-current");
  }
  for (const each of document.querySelectorAll("figure[data-picture], .drawn-beside"))
    each.style.fontSize = each.style.zoom = each.style.width = "";
  for (const code of document.querySelectorAll(".code-below")) code.remove();
  spoken.textContent = "";
}

// What a slide is made of, from top to bottom.
const pieces = (stop) =>
  [...stop.children]
    .flatMap((child) => (child.matches(".beside, .words") ? [...child.children] : [child]))
    .flatMap((child) => (child.matches(".words") ? [...child.children] : [child]))
    .filter((child) => child.getClientRects().length);

// Show the current thought. It is set larger where there is room, smaller where there is not, and what is still too
// tall goes in screenfuls of whole pieces.
function light(anew = false, within = null) {
  if (!inLecture()) return;
  if (anew) part = 0;
  clear();
  const stop = current();
  const section = stop.closest(".section, header");
  section.classList.add("here");
  stop.classList.add("lit");
  stop.setAttribute("aria-current", "true");
  scrollTo({ top: 0, behavior: "instant" });
  const title = section.querySelector("h2");
  const above = title && stop.closest(".section") ? title.offsetHeight : 0;
  const room = innerHeight - above - 64;
  const tall = () => stop.getBoundingClientRect().height;
  const wide = () =>
    stop.scrollWidth <= stop.clientWidth + 1 &&
    stop.getBoundingClientRect().right <= innerWidth &&
    [...stop.querySelectorAll(".drawn")].every((each) => each.scrollWidth <= each.clientWidth + 1);
  const resize = (scale) => {
    stop.style.fontSize = `${scale}em`;
  };
  const fits = (scale) => {
    resize(scale);
    return tall() <= room && wide();
  };
  const screen = Math.min(innerHeight, 1.3 * innerWidth);
  const sized = (lines) => Math.max(screen / lines / defaults.size, 12 / settings.value.size);
  const all = pieces(stop);
  const screenAndType = `${innerWidth} ${innerHeight} ${settings.value.size}`;
  const was = tooTall.get(stop) === screenAndType;
  const picture = stop.matches("[data-picture]");
  if (picture) {
    draw(stop, sized, () => tall() <= room && wide());
  } else if (was || !LINES.some((lines) => fits(sized(lines)))) {
    tooTall.set(stop, screenAndType);
    measured(stop, all, true);
    const words = all.filter((piece) => !piece.matches(DRAWN));
    SPLIT.some((lines) => {
      resize(sized(lines));
      return words.every((piece) => spaceOf(piece) <= room);
    });
    measured(stop, all, false);
  }
  const split = tooTall.get(stop) === screenAndType && !picture;
  const screens = split ? screenfuls(stop, all, room, sized) : [all];
  many = screens.length;
  if (within)
    part = screens.findIndex((pieces_) => pieces_.some((piece) => piece.contains(within)));
  if (part < 0 || part >= many) part = many - 1;
  if (many > 1) {
    screens[part].forEach((piece) => piece.classList.add("part"));
    codeOf(screens[part][0])?.classList.add("part");
  }
  const inSection = places.stops.filter(
    (each) => each.dataset.at.split(".")[0] === stop.dataset.at.split(".")[0],
  );
  const number = stop.dataset.at.split(".")[0];
  const name = section.dataset.title ? `${number}. ${section.dataset.title}` : "microgpt";
  spoken.textContent =
    `${name}, ${inSection.indexOf(stop) + 1} of ${inSection.length}` +
    ` (${places.stops.indexOf(stop) + 1} of ${places.stops.length} in all)` +
    (many > 1 ? `, screen ${part + 1} of ${many}` : "") +
    (stop.querySelector("details[open]") ? ", answered" : "");
  bar.elements.section.value = number;
  settled = tall();
  growth.disconnect();
  growth.observe(stop);
}

const bodySize = () => parseFloat(getComputedStyle(document.body).fontSize);

// All pieces of a thought as they will stand, to be measured.
function measured(stop, all, now) {
  stop.classList.toggle("parted", now);
  for (const piece of all) piece.classList.toggle("part", now);
}

// A picture is drawn in the largest type in which it fits. If it fits in none, it is made smaller and smaller; its own
// width stays, so that it is not drawn anew.
function draw(piece, sized, fits) {
  const fitsIn = (lines) => {
    piece.style.fontSize = `${sized(lines) * bodySize()}px`;
    drawIn(piece);
    return fits();
  };
  let [low, high] = [0, PICTURE.length - 1]; // what fits in a larger type fits in all smaller ones
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fitsIn(PICTURE[middle])) high = middle;
    else low = middle + 1;
  }
  if (!fitsIn(PICTURE[low])) shrink(piece, fits);
}
function shrink(piece, fits) {
  for (let zoom = 1; !fits() && zoom > SMALLEST_PICTURE;) {
    zoom -= 0.05;
    piece.style.zoom = zoom;
    piece.style.width = `${100 * zoom}%`;
  }
}

// Below a picture on a wide screen is room for the lines that make what is pointed at: of its own thought, or else of
// the next that makes what is drawn.
const rowsOf = (stop) => [...stop.children].filter((child) => child.matches(".row[data-part]"));
function putCode(stop, piece) {
  const rows = places.stops
    .slice(places.stops.indexOf(stop))
    .map(rowsOf)
    .find((each) => each.length);
  if (!rows || innerWidth < 1.2 * innerHeight || innerWidth < 900) return null;
  const code = document.createElement("div");
  code.className = "code-below part";
  code.ariaHidden = "true";
  for (const row of rows) {
    const copy = row.cloneNode(true);
    copy.removeAttribute("id");
    copy.querySelectorAll(".talk, .numbers").forEach((each) => each.remove());
    code.append(copy);
  }
  piece.after(code);
  return code;
}
const codeOf = (piece) => {
  const after = piece.nextElementSibling;
  return after?.matches(".code-below") ? after : null;
};

// Its height with what must stay free above and below.
function spaceOf(piece) {
  const inner = piece.matches(".drawn-beside") ? piece.firstElementChild : piece;
  const { marginTop, marginBottom } = getComputedStyle(inner);
  return piece.getBoundingClientRect().height + parseFloat(marginTop) + parseFloat(marginBottom);
}

function screenfuls(stop, all, room, sized) {
  const screens = [];
  let height = 0;
  measured(stop, all, true);
  for (const piece of all) {
    const drawn = piece.matches(DRAWN); // a picture has a screen of its own
    if (drawn) {
      const code = putCode(stop, piece);
      draw(piece, sized, () => spaceOf(piece) + (code?.offsetHeight ?? 0) <= room);
      code?.classList.remove("part");
    }
    const tall = drawn ? Infinity : spaceOf(piece);
    if (!screens.length || height + tall > room) {
      screens.push([]);
      height = 0;
    }
    screens[screens.length - 1].push(piece);
    height += tall;
  }
  measured(stop, all, false);
  if (screens.length > 1) stop.classList.add("parted");
  return screens;
}

// A question is put first, and then answered.
function answered(by) {
  const folded = current().matches(".question") && current().querySelector("details");
  if (!folded || folded.open === by > 0) return false;
  folded.open = by > 0;
  return true;
}

function step(by) {
  if (answered(by)) return light(true);
  const all = places.stops;
  const here = all.indexOf(current());
  if (part + by >= 0 && part + by < many) part += by;
  else if (all[here + by]) {
    places.setAt(all[here + by].dataset.at);
    part = by > 0 ? 0 : -1;
    const folded = current().matches(".question") && current().querySelector("details");
    if (folded) folded.open = by < 0;
  }
  light();
  places.keep();
}
function end(last) {
  const all = places.stops;
  places.setAt(all[last ? all.length - 1 : 0].dataset.at);
  part = last ? -1 : 0;
  light();
}

// The thought at the top of the screen, from which the lecture begins.
function topmost() {
  if (scrollY < 40) return places.stops[0];
  return places.stops.find(
    (stop) => stop.getClientRects().length && stop.getBoundingClientRect().bottom > 120,
  );
}
export function toggle() {
  if (inLecture()) {
    const was = current();
    change({ lecture: "0" });
    places.goTo(was.dataset.at, false);
  } else {
    const stop = topmost() || places.stops[0];
    places.setAt(stop.dataset.at);
    change({ lecture: "1", bar: "0" });
  }
}

export function answer() {
  const number = (inLecture() ? places.at.split(".")[0] : places.section()) || "1";
  const question = document.querySelector(`#section-${number} .question`);
  const folded = question?.querySelector("details");
  if (!folded) return;
  folded.open = !folded.open;
  if (inLecture()) {
    places.setAt(question.dataset.at);
    light(true);
  } else question.scrollIntoView({ block: "nearest", behavior: "instant" });
}

export function begin() {
  places.lightWith(light);
  addKey("l", "lecture mode: slides, one thought at a time", toggle);
  addKey("ArrowRight", "in lecture mode: on", () => step(1));
  addKey("ArrowLeft", "in lecture mode: back", () => step(-1));
  addKey("Home", "in lecture mode: the first thought", () => end(false));
  addKey("End", "in lecture mode: the last thought", () => end(true));
  addKey("Escape", "leave one thing: a word, a field, a picture, the lecture", () => {});
  leaves(() => {
    if (!inLecture()) return false;
    toggle();
    return true;
  });
  for (const [name, by] of [
    ["back", -1],
    ["next", 1],
  ]) {
    document.querySelector(`.stepper [data-do=${name}]`).addEventListener("click", () => step(by));
  }
  document.querySelector(".stepper [data-do=leave]").addEventListener("click", toggle);
  effect(() => {
    const { lecture } = settings.value;
    if (lecture === "1") requestAnimationFrame(() => light());
    else clear();
  });
  addEventListener("resize", () => light());
  // Pictures are drawn a little after their thought is shown: fit it again, but not under someone's hands.
  const fitted = { stop: null, screen: 0, height: 0, tries: 0 };
  const grown = new ResizeObserver(() => {
    const stop = document.querySelector(".lit");
    if (!stop || (stop.contains(document.activeElement) && stop === fitted.stop && fitted.tries))
      return;
    if (stop !== fitted.stop || part !== fitted.screen)
      Object.assign(fitted, { stop, screen: part, height: 0, tries: 0 });
    const height = Math.round(stop.getBoundingClientRect().height);
    if (Math.abs(height - fitted.height) < 3 || fitted.tries > 4) return;
    fitted.tries++;
    light();
    fitted.height = Math.round(stop.getBoundingClientRect().height);
  });
  grown.observe(document.getElementById("lecture"));
  grown.observe(document.querySelector("header.title"));
}
