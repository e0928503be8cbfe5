// Section 4: any matrix of the model, at one fixed scale.

import { effect } from "@preact/signals-core";
import { run, state } from "../model/live.js";
import { button, caption, controls, momentSlider, trainButton, twoSides } from "./controls.js";
import { called, element, label, number, time, whole } from "./draw.js";
import { heat } from "./heat.js";
import { Picture } from "./picture.js";

const SCALE = 0.6; // the size of a number that has the full colour, at every moment
const MOST_ROWS = 64; // of a large alphabet, so many are drawn

export function matrices(figure) {
  const choice = element("select", { "aria-label": "matrix of the model" });
  effect(() => {
    const { shapes } = run.value.gpt;
    const before = choice.value;
    const option = ([name, rows, columns]) =>
      element("option", { value: name }, `${name} [${whole(rows)}][${columns}]`);
    choice.replaceChildren(...shapes.map(option));
    choice.value = shapes.some(([name]) => name === before) ? before : shapes[0][0];
  });
  const turn = (by) => {
    const last = choice.options.length - 1;
    choice.selectedIndex = Math.max(0, Math.min(last, choice.selectedIndex + by));
    picture.dirty();
  };
  const steps = [
    button("←", () => turn(-1), { "aria-label": "the matrix before" }),
    button("→", () => turn(1), { "aria-label": "the next matrix" }),
  ];
  const chooser = element("label", {}, "matrix ", choice);
  figure.append(controls(chooser, steps, trainButton(), momentSlider()));
  const [left, right] = twoSides(figure);
  const picture = new Picture(left, {
    beside: right,
    name: "matrix",
    hint: "Point at a cell, or use the arrow keys in the picture, to read its number.",
    follows: [run, state],
    draw(width, f) {
      const { gpt } = run.value;
      const [name, all, columns] = gpt.shapes.find(([each]) => each === choice.value);
      const { step, numbers } = state.value;
      const part = gpt.matrices(numbers)[name];
      const rows = Math.min(all, MOST_ROWS);
      const tokens = name === "token" || name === "lm_head";
      const made = heat(width, f, {
        rows,
        columns,
        scale: SCALE,
        value: (r, c) => part[r * columns + c],
        rowLabel: (r) => (tokens ? label(r) : String(r)),
        say: (r, c, v) =>
          `${name}[${r}][${c}] = ${number(v)}` + (tokens ? `, in the row of ${called(r)}` : ""),
        label: `Heat map of the matrix ${name}, ${all} rows of ${columns} numbers, ${time(step)}`,
      });
      if (all > rows) made.rest = `The first ${rows} of ${whole(all)} rows are drawn.`;
      return made;
    },
  });
  choice.addEventListener("change", () => picture.dirty());
  right.append(
    caption(
      "A matrix of the model, row by row. Blue is above 0, red below; the closer to the paper's " +
        "colour, the nearer to 0. The scale is the same for all matrices and all moments. Rows of " +
        "token and lm_head belong to tokens; · is BOS.",
    ),
  );
}
