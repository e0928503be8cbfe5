// A picture: an SVG that fits its place, tells its values to pointer and keys, and can be saved.

import { effect, untracked } from "@preact/signals-core";
import { working } from "../model/live.js";
import { element, forHands, shape } from "./draw.js";

const FRAME = 6; // milliseconds of drawing in one frame; while it trains, one picture a frame
const SIDEWAYS = 8; // pixels
const LIVE = 120; // milliseconds between two drawings of a picture while it trains
const SAVED =
  "fill fill-opacity stroke stroke-width stroke-opacity stroke-dasharray font-family font-size " +
  "font-weight font-style text-anchor dominant-baseline paint-order stroke-linejoin opacity";
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const still = matchMedia("(prefers-reduced-motion: reduce)");

export const pictures = new Set();

// What was drawn becomes what is to be drawn: only what differs is touched, so that what moves can be seen to move.
function patch(drawn, nodes) {
  nodes.forEach((node, i) => {
    const old = drawn.childNodes[i];
    if (!old) drawn.append(node);
    else if (old !== node && !same(old, node)) old.replaceWith(node);
  });
  while (drawn.childNodes.length > nodes.length) drawn.lastChild.remove();
}
function same(old, node) {
  if (old.nodeName !== node.nodeName) return false;
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return true;
  }
  for (const { name } of [...old.attributes]) {
    if (!node.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  patch(old, [...node.childNodes]);
  return true;
}

// `draw(width, f)`, with f the size of its type, returns { height, width, most, label, nodes, at, tell, pick, start, rest }:
// at(x, y) -> [row, column], tell(row, column) -> { text, box: [x, y, width, height], part } or nothing, look(row or null)
// is told what is pointed at. `follows` are
// the signals on which it depends, `shown` is called when it comes onto the screen. `part`, a name of the listing's parts, lights the lines that make what is pointed at.
export class Picture {
  constructor(parent, { draw, hint, name, key, follows = [], beside = parent, shown }) {
    Object.assign(this, {
      drawing: draw,
      hint: forHands(hint),
      name,
      key,
      cursor: null,
      onScreen: true,
      drawn: 0,
    });
    this.svg = shape("svg", { role: "img", tabindex: 0, class: "drawing" });
    this.frame = shape("rect", { class: "cursor", visibility: "hidden" });
    this.readout = element("p", { class: "readout", "aria-live": "polite" }, this.hint);
    this.ink = shape("g");
    this.svg.append(this.ink, this.frame);
    this.box = element("div", { class: "canvas" }, this.svg);
    const save = element("button", { type: "button", class: "save", onclick: () => this.save() });
    save.textContent = "save";
    save.title = "save this picture as an SVG file";
    save.setAttribute("aria-label", `save the picture: ${name}`);
    this.below = element("div", { class: "below" }, this.readout, save);
    parent.append(this.box);
    beside.append(this.below);

    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => {
      this.point(event);
      if (this.made?.grab) this.grab(event);
    });
    // On lifting, so that a finger that scrolls changes nothing.
    this.svg.addEventListener("click", () => {
      if (this.cursor && this.made.pick) this.made.pick(...this.cursor);
    });
    this.svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== this.svg) this.show(null);
    });
    this.svg.addEventListener("blur", () => this.show(null));
    this.svg.addEventListener("focus", () => {
      if (!this.cursor && this.made && this.svg.matches(":focus-visible")) {
        this.show(this.made.start || [0, 0]);
      }
    });
    this.svg.addEventListener("keydown", (event) => this.pressed(event));
    new ResizeObserver(() => {
      if (this.box.clientWidth !== this.width) this.dirty();
    }).observe(this.box);
    new IntersectionObserver(
      ([entry]) => {
        this.onScreen = entry.isIntersecting;
        if (this.onScreen) shown?.();
        if (this.onScreen && this.late) this.dirty();
      },
      { rootMargin: "25%" },
    ).observe(this.box);
    pictures.add(this);
    this.stop = effect(() => {
      for (const signal of follows) void signal.value;
      untracked(() => this.changed());
    });
  }

  remove() {
    this.stop();
    pictures.delete(this);
    queue.delete(this);
    this.box.remove();
    this.below.remove();
  }

  // While it trains, a picture is drawn a few times a second and only if it is seen; with reduced motion, at the end.
  changed() {
    if (working.value && this.drawn) {
      if (!this.onScreen || still.matches) {
        this.late = true;
        return;
      }
      if (performance.now() - this.drawn < LIVE) return;
    }
    if (!this.onScreen) this.late = true;
    this.dirty();
  }

  dirty() {
    queue.add(this);
    wake();
  }

  draw() {
    const width = this.box.clientWidth;
    this.drawn = performance.now();
    this.width = width;
    if (!width) return; // hidden; the ResizeObserver will call again
    this.late = false;
    const em = parseFloat(getComputedStyle(this.box).fontSize);
    this.f = Math.max(8, Math.min(em, width / 25));
    this.made = untracked(() => this.drawing(Math.min(width, 60 * this.f), this.f));
    const { height, width: used = width, most = used } = this.made;
    const zoom = Math.min(1, most / used); // what is wider than its place is drawn smaller
    const size = `${used.toFixed(1)} ${height.toFixed(1)} ${zoom.toFixed(3)} ${this.f.toFixed(2)}`;
    if (this.size !== size) {
      this.size = size; // only a change of size moves what stands around it
      this.svg.setAttribute("width", (used * zoom).toFixed(1));
      this.svg.setAttribute("height", (height * zoom).toFixed(1));
      this.svg.setAttribute("viewBox", `0 0 ${used.toFixed(1)} ${height.toFixed(1)}`);
      this.svg.style.fontSize = `${this.f.toFixed(2)}px`;
      this.below.style.maxWidth = `max(${(used * zoom).toFixed(0)}px, 26em)`;
    }
    this.svg.setAttribute("aria-label", this.made.label);
    patch(this.ink, this.made.nodes);
    this.show(this.cursor);
  }

  // The value at [row, column], or none.
  show(cursor) {
    const told = cursor && this.made?.tell?.(...cursor);
    this.cursor = told ? cursor : null;
    this.frame.setAttribute("visibility", told?.box ? "visible" : "hidden");
    if (told?.box) {
      ["x", "y", "width", "height"].forEach((key, i) =>
        this.frame.setAttribute(key, told.box[i].toFixed(2)),
      );
    }
    this.made?.look?.(told ? cursor[0] : null);
    const words = forHands(told ? told.text : this.made?.rest || this.hint);
    if (this.readout.textContent !== words) this.readout.textContent = words;
    if (this.lit !== told?.part) {
      this.lit = told?.part;
      const detail = this.lit ?? null;
      this.svg.dispatchEvent(new CustomEvent("part", { detail, bubbles: true }));
    }
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    const scale = this.svg.viewBox.baseVal.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  point(event) {
    if (this.made?.at) this.show(this.made.at(...this.place(event)));
  }

  // made.grab(x, y) returns what is to be done while the pointer drags, or nothing.
  grab(event) {
    const drag = this.made.grab(...this.place(event));
    if (!drag) return;
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);
    let begun = event.pointerType !== "touch"; // a finger may want to scroll, until it moves sideways
    const move = (moved) => {
      begun ||= Math.abs(moved.clientX - event.clientX) > SIDEWAYS;
      if (begun) drag(...this.place(moved));
    };
    const end = () => this.svg.removeEventListener("pointermove", move);
    move(event);
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("lostpointercapture", end, { once: true });
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.made) return;
    const way = WAYS[event.key];
    let taken = this.key ? this.key(event) : false;
    if (!taken && way && this.made.tell) {
      const [row, column] = this.cursor || this.made.start || [0, 0];
      const next = this.cursor ? [row + way[0], column + way[1]] : [row, column];
      if (this.made.tell(...next)) this.show(next);
      taken = true;
    }
    if (!taken && (event.key === "Enter" || event.key === " ") && this.cursor && this.made.pick) {
      this.made.pick(...this.cursor);
      taken = true;
    }
    if (!taken && event.key === "Escape" && this.made.unpick?.()) taken = true;
    if (taken) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  // As a file of its own: the colours written out.
  save() {
    const copy = this.svg.cloneNode(true);
    const from = [...this.svg.querySelectorAll("*")];
    [...copy.querySelectorAll("*")].forEach((node, i) => {
      const style = getComputedStyle(from[i]);
      for (const key of SAVED.split(" ")) node.setAttribute(key, style.getPropertyValue(key));
      node.removeAttribute("class");
    });
    copy.lastElementChild.remove(); // the cursor
    const background = shape("rect", { width: "100%", height: "100%" });
    const page = getComputedStyle(document.documentElement);
    background.setAttribute("fill", page.getPropertyValue("--paper").trim());
    copy.prepend(background);
    for (const key of ["class", "style", "tabindex"]) copy.removeAttribute(key);
    const words = new XMLSerializer().serializeToString(copy);
    const link = element("a", {
      href: URL.createObjectURL(new Blob([words], { type: "image/svg+xml" })),
      download: `microgpt-${this.name.replace(/\W+/g, "-")}.svg`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

// Draws the pictures of an element at once, as large as its type is now.
export function drawIn(place) {
  for (const picture of pictures) if (place.contains(picture.box)) picture.draw();
}

// Pictures wait here and are drawn in the next frames, a few milliseconds a frame.
const queue = new Set();
let awake = false;
function wake() {
  if (awake) return;
  awake = true;
  requestAnimationFrame(() => {
    awake = false;
    const began = performance.now();
    for (const picture of [...queue]) {
      if (performance.now() - began > (working.value ? 0.1 : FRAME)) break;
      queue.delete(picture);
      picture.draw();
    }
    if (queue.size) wake();
  });
}
