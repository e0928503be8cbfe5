// Where the reader is. A link carries content only: a section, a thought, a line, a name, a moment.

import { batch } from "@preact/signals-core";
import * as live from "../model/live.js";
import { bar, barHeight, change, inLecture } from "./settings.js";

export const sections = [...document.querySelectorAll(".section")];
export const stops = [...document.querySelectorAll("[data-at]")];
stops.forEach((stop) => stop.classList.add("stop"));
export let at = ""; // a section "3", or in lecture mode a stop "3.2"
let light = () => {};
export const lightWith = (how) => {
  light = how;
};

const shown = (element) => element.getClientRects().length > 0;
export const open = () =>
  stops.filter((stop) => inLecture() || (shown(stop) && stop.offsetHeight > 0));

// ---- The fragment ----

function fragment() {
  const parts = at ? [`at=${at}`] : [];
  const { own, docs, knobs } = live.run.value;
  const { step } = live.state.value;
  if (live.name.value !== (own ? docs[0] : live.GREETING))
    parts.push(`name=${encodeURIComponent(live.name.value)}`);
  if (live.moment.value !== null || step !== knobs.steps) parts.push(`step=${step}`);
  return parts.length
    ? `#${parts.join("&")}`
    : location.pathname.split("/").pop() + location.search;
}
// into: a new entry of the history, by which Back returns; else the present one is changed.
export function keep(into = false) {
  try {
    if (into) history.pushState(null, "", fragment());
    else history.replaceState(null, "", fragment());
  } catch {
    // not allowed here
  }
}

// ---- Going there ----

function heading(element) {
  const title = element.closest(".section")?.querySelector("h2");
  if (!title || title.contains(element) || getComputedStyle(title).position !== "sticky") return 0;
  return title.offsetHeight;
}
export function bring(element) {
  const above = barHeight() + (element.matches(".section") ? 0 : heading(element) + 12);
  const top = Math.floor(element.getBoundingClientRect().top + scrollY - above);
  scrollTo({ top, behavior: "instant" });
}

export function section() {
  const above = sections.filter((each) => each.getBoundingClientRect().top <= barHeight() + 120);
  const number = above.length ? above[above.length - 1].dataset.section : "";
  return number === "0" ? "" : number;
}

// A section "3", a stop "3.2" or "9.loss", or a line "L160".
export function find(place) {
  return (
    stops.find((stop) => stop.dataset.at === place) ||
    document.getElementById(`section-${place}`) ||
    (/^(L\d+|section-\d+|words|lecture)$/.test(place) && document.getElementById(place)) ||
    null
  );
}
// into: see keep; null: not kept. within: the element of the thought that is to be seen, if it goes in screenfuls.
export function goTo(place, into = true, within = null) {
  const target = find(place);
  if (!target) return false;
  if (inLecture()) {
    const stop = target.closest(".stop") || stops.find((each) => target.contains(each)) || stops[0];
    at = stop.dataset.at;
    light(true, within);
  } else {
    if (target.tagName === "DETAILS") target.open = true;
    if (place === "0") scrollTo({ top: 0, behavior: "instant" });
    else bring(target);
    at = place === "0" ? "" : place;
  }
  bar.elements.section.value = at.split(".")[0] || "0";
  if (into !== null) keep(into);
  return true;
}
export function turnSection(by) {
  const next = Number((inLecture() ? at : section()).split(".")[0] || 0) + by;
  if (next < sections.length) goTo(String(Math.max(0, next)));
}
export function setAt(place) {
  at = place;
  keep();
}

// One of these pictures, brought into sight if none of them is. False: none can be seen.
export function see(names) {
  const places = names
    .map((name) => document.querySelector(`[data-picture="${name}"]`))
    .filter(Boolean);
  if (inLecture()) {
    if (places.some(shown)) return true;
    const here = stops.findIndex((stop) => stop.dataset.at === at);
    const away = (place) => Math.abs(stops.indexOf(place.closest(".stop")) - here);
    const [nearest] = places.sort((a, b) => away(a) - away(b));
    return Boolean(nearest) && goTo(nearest.closest(".stop").dataset.at, true, nearest);
  }
  const visible = places.filter(shown);
  const seen = ({ top, bottom }) => bottom > barHeight() + 80 && top < innerHeight - 80;
  if (visible.some((place) => seen(place.getBoundingClientRect()))) return true;
  const nearest = visible.sort(
    (a, b) => Math.abs(a.getBoundingClientRect().top) - Math.abs(b.getBoundingClientRect().top),
  )[0];
  if (nearest) bring(nearest);
  return Boolean(nearest);
}

// From the fragment: a place, a name, a moment. Old links, which carried settings too, still find their place.
export function arrive() {
  const text = location.hash.slice(1);
  const found = text.includes("=") ? new URLSearchParams(text) : new URLSearchParams({ at: text });
  batch(() => {
    if (found.has("name")) live.name.value = found.get("name");
    if (/^\d+$/.test(found.get("step") ?? "")) live.goTo(Number(found.get("step")));
  });
  const place = (found.get("at") || "").replace(/^section-/, "");
  if (place && goTo(place, null)) return;
  at = inLecture() ? stops[0].dataset.at : "";
  if (inLecture()) light(true);
}

let later = 0;
export function begin() {
  for (const each of sections) {
    const { section: number, title } = each.dataset;
    bar.elements.section.append(
      new Option(number === "0" ? "the beginning" : `${number}. ${title}`, number),
    );
  }
  bar.elements.section.addEventListener("change", ({ target }) => {
    if (getComputedStyle(bar).position === "fixed") change({ bar: "0" }); // it would cover the place
    goTo(target.value);
    if (!target.matches(":focus-visible")) target.blur(); // chosen by pointer: keys go to the page
  });
  addEventListener("popstate", arrive);
  addEventListener("hashchange", arrive);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || link.classList.contains("skip")) return;
    event.preventDefault();
    goTo(link.hash.slice(1).replace(/^section-/, ""));
  });
  // After scrolling: the section on top goes into the fragment.
  addEventListener(
    "scroll",
    () => {
      clearTimeout(later);
      later = setTimeout(() => {
        if (inLecture()) return;
        const now = section();
        bar.elements.section.value = now || "0";
        if (at.split(".")[0] !== now && !/^L/.test(at)) setAt(now);
      }, 200);
    },
    { passive: true },
  );
  if ("scrollRestoration" in history) history.scrollRestoration = "manual";
}
