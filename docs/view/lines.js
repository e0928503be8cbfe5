// Lines and pictures are one: to point at a line lights its part of a picture, and the other way round. Beside the
// numbers of the recorded run stand those of the live model, for the typed name, the chosen token and the moment.

import { effect } from "@preact/signals-core";
import { looked, name, place, run, state, typed } from "../model/live.js";
import { called, number, time } from "../pictures/draw.js";
import { stages } from "../pictures/layer.js";

const FEW = 3;

// A line made this part if it names it, with a space between where it made several.
const rows = [...document.querySelectorAll(".row[data-part]")];
const partsOf = (row) => row.dataset.part.split(" ");

// within: the picture that is pointed at, where the reader sees already what it is.
function light(part, within = null) {
  for (const row of document.querySelectorAll(".row[data-part]"))
    row.classList.toggle("tied", part !== null && partsOf(row).includes(part));
  for (const drawn of document.querySelectorAll("svg [data-part]")) {
    const tied = part !== null && drawn.dataset.part === part && drawn.ownerSVGElement !== within;
    drawn.classList.toggle("tied", tied);
  }
}

function liveNumbers() {
  const t = looked.value;
  const { tokens, probs, T, step } = typed.value;
  const { gpt } = run.value;
  const all = stages();
  const numbersOf = {};
  for (const stage of all) {
    if (numbersOf[stage.part] && stage.part !== "x0") continue; // the first layer
    const values = [];
    for (let c = 0; c < stage.columns && values.length < FEW; c++) {
      const v = stage.value(t, c);
      if (v !== undefined) values.push(number(v, 2));
    }
    numbersOf[stage.part] = `${values.join(" ")}${stage.columns > FEW ? " …" : ""}`;
  }
  const p = probs[t * gpt.vocab + tokens[t + 1]];
  const surprises = Array.from({ length: T }, (_, i) =>
    Math.log(1 / probs[i * gpt.vocab + tokens[i + 1]]),
  );
  numbersOf.surprises = number(-Math.log(p), 2);
  numbersOf.loss = number(surprises.reduce((sum, s) => sum + s, 0) / T);
  numbersOf.tokens = tokens.slice(0, T + 1).join(" ");
  for (const row of rows) {
    const made = row.querySelector(".live");
    if (!made) continue;
    const part = partsOf(row)[0];
    made.textContent = part in numbersOf ? numbersOf[part] : "";
  }
  const where = document.getElementById("live-where");
  if (where)
    where.textContent = `“${name.value || "an empty name"}”, token ${t}, ${called(tokens[t])}, ${time(step)}`;
}

export function begin() {
  document.addEventListener("part", (event) => light(event.detail, event.target));
  const main = document.getElementById("lecture");
  let now = null;
  const over = (event) => {
    const row = event.target.closest?.(".row[data-part]");
    const part = row ? partsOf(row)[0] : null;
    if (part === now) return;
    now = part;
    light(part);
  };
  for (const kind of ["pointerover", "focusin"]) main.addEventListener(kind, over);
  let waiting = 0;
  effect(() => {
    for (const signal of [name, run, state, place]) void signal.value;
    if (!waiting) {
      waiting = setTimeout(() => {
        waiting = 0;
        liveNumbers();
      }, 120);
    }
  });
}
