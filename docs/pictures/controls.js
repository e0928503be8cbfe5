// What the pictures share: buttons, sliders, fields. Each shows a signal and changes it.

import { effect, untracked } from "@preact/signals-core";
import * as live from "../model/live.js";
import { element, forHands, steps, time, visible, whole } from "./draw.js";

export function button(words, press, attributes = {}) {
  return element("button", { type: "button", onclick: press, ...attributes }, words);
}

export function controls(...made) {
  return element("div", { class: "controls" }, ...made.flat());
}

export const caption = (words) => element("figcaption", {}, forHands(words));

// Side by side where there is room.
export function twoSides(figure) {
  const left = element("div");
  const right = element("div");
  figure.append(element("div", { class: "two" }, left, right));
  return [left, right];
}

// These keys give the keyboard back to the page.
export function leave(field, ...keys) {
  field.addEventListener("keydown", (event) => {
    if (keys.includes(event.key) && !event.isComposing) field.blur();
  });
}

export function trainButton() {
  const made = button("", live.toggle, { class: "train", "aria-keyshortcuts": "g" });
  effect(() => {
    const { running, step } = live.progress.value;
    const again = live.ended.value;
    made.textContent = running ? "Pause" : again ? "Train again" : step ? "Go on" : "Train";
    made.title = again && !running ? "The present run stays as the one to compare with" : "";
  });
  return made;
}

export function momentSlider() {
  const slider = element("input", { type: "range", min: 0, step: 1 });
  slider.setAttribute("aria-label", "moment of the training");
  const said = element("output", { "aria-live": "off" });
  slider.addEventListener("input", () => live.goTo(+slider.value));
  effect(() => {
    const { step: last } = live.progress.value;
    const { step } = live.state.value;
    slider.max = Math.max(1, live.working.value ? live.run.value.knobs.steps : last);
    slider.disabled = last === 0;
    slider.value = step;
    slider.setAttribute("aria-valuetext", time(step));
    said.textContent = time(step);
  });
  return element("label", { class: "moment" }, "moment ", slider, said);
}

export function nameField() {
  const field = element("input", { type: "text", size: 12, spellcheck: "false" });
  field.setAttribute("autocomplete", "off");
  field.setAttribute("autocapitalize", "off");
  field.setAttribute("aria-label", "a name for the model to read");
  let entered = ""; // by hand: it is not changed under someone's hands
  field.addEventListener("input", () => {
    live.place.value = null;
    entered = field.value;
    live.name.value = entered;
  });
  leave(field, "Enter", "Escape");
  const note = element("span", { class: "remark", role: "status" });
  effect(() => {
    const name = live.name.value;
    if (field.value !== name && (document.activeElement !== field || name !== entered))
      field.value = name.slice(0, 200);
    const { missing, cut } = live.typed.value;
    const { block } = live.run.value.gpt;
    const none = missing.slice(0, 8).map(visible).join(" ");
    note.textContent =
      (none ? `The model has no letter ${none}; left out. ` : "") +
      (cut ? `The block ends after ${whole(block)} tokens; what comes later is cut. ` : "");
  });
  return [element("label", {}, "name ", field), note];
}

export function temperatureSlider() {
  const slider = element("input", { type: "range", min: 0.1, max: 2, step: 0.05 });
  slider.setAttribute("aria-label", "temperature");
  const said = element("output", { "aria-live": "off" });
  slider.addEventListener("input", () => {
    live.temperature.value = +slider.value;
  });
  effect(() => {
    slider.value = live.temperature.value;
    said.textContent = live.temperature.value.toFixed(2);
  });
  return element("label", {}, "temperature ", slider, said);
}

export function warm(by) {
  const heat = Math.round(20 * (live.temperature.value + by)) / 20;
  live.temperature.value = Math.max(0.1, Math.min(2, heat));
}

export function paceBox() {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    live.fast.value = box.checked;
  });
  effect(() => {
    box.checked = live.fast.value;
  });
  return element("label", {}, box, "full speed");
}

// One of the knobs of the next training.
export function knob(name, words, choices) {
  const select = element("select", { "aria-label": words, name });
  select.addEventListener("change", () => {
    live.plan.value = { ...live.plan.value, [name]: +select.value };
  });
  effect(() => {
    const now = live.plan.value[name];
    const all = [...new Set([...untracked(() => choices()), now])].sort((a, b) => a - b);
    select.replaceChildren(
      ...all.map((n) => element("option", { value: n }, name === "steps" ? steps(n) : String(n))),
    );
    select.value = now;
  });
  return element("label", {}, `${words} `, select);
}
