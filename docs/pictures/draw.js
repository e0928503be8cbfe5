// Small tools: elements, shapes, and numbers in words. Text from outside is only ever text.

import { run } from "../model/live.js";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    made.setAttribute(key, typeof value === "number" ? +value.toFixed(2) : value);
  }
  made.append(...children);
  return made;
}

export function text(x, y, words, className = "", size = undefined) {
  const style = size && `font-size: ${size.toFixed(2)}px`;
  return shape("text", { x, y, class: className, style }, words);
}

// On a touch screen nobody points, clicks, or has arrow keys.
const touch = matchMedia("(pointer: coarse)").matches;
export const forHands = (words) =>
  touch
    ? words
        .replace(/,? or (use the|press) [^,.;:]*/g, "")
        .replace(/Point at|Click/g, "Tap")
        .replace(/point at|click/g, "tap")
    : words;

const english = new Intl.NumberFormat("en");
export const whole = (number) => english.format(number);
export const number = (value, digits = 4) => {
  const size = Math.abs(value).toFixed(digits);
  return (value < 0 && +size ? "−" : "") + size; // 0.00 has no sign
};
export const exact = (value) => String(+value.toPrecision(3)).replace("-", "−"); // three digits, of any size
export const plain = (value) => String(+value.toFixed(4)).replace("-", "−");
export const percent = (value) =>
  value === 0 ? "0 %" : value < 0.001 ? "under 0.1 %" : `${(100 * value).toFixed(1)} %`;
export const steps = (count) => `${whole(count)} ${count === 1 ? "step" : "steps"}`;
export const time = (step) => (step === 0 ? "untrained" : `after ${steps(step)}`);
export function short(words, most = 20) {
  const characters = Array.from(words.slice(0, 4 * most));
  const cut = characters.length > most;
  return cut ? characters.slice(0, most - 1).join("") + "…" : characters.join("");
}

const visible = (letter) => {
  if (/^[\s\p{C}\p{Z}]$/u.test(letter)) return letter === " " ? "␣" : "□";
  return /^\p{M}$/u.test(letter) ? "◌" + letter : letter;
};
export const label = (token) =>
  token === run.value.gpt.BOS ? "·" : visible(run.value.letters[token]);
export const called = (token) => (token === run.value.gpt.BOS ? "BOS" : label(token));
export { visible };
