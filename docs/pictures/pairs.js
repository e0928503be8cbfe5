// Section 2: a name as pairs, what the model reads and what it is to foresee.

import { name, place, run, typed } from "../model/live.js";
import { caption, controls, nameField } from "./controls.js";
import { called, label, shape, text } from "./draw.js";
import { Picture } from "./picture.js";

export function pairs(figure) {
  figure.append(controls(nameField()));
  const picture = new Picture(figure, {
    name: "pairs",
    hint: "Point at a column, or use the arrow keys in the picture, to read a pair.",
    follows: [name, run, place],
    draw(width, f) {
      const { tokens, T, name: read } = typed.value;
      const cell = Math.min(3.2 * f, (width - 5 * f) / T);
      const left = 4.6 * f;
      const x = (t) => left + (t + 0.5) * cell;
      const size = Math.min(1.3 * f, 0.62 * cell);
      const nodes = [
        text(left - 0.6 * f, 1.4 * f, "reads", "end small muted"),
        text(left - 0.6 * f, 4.9 * f, "next is", "end small muted"),
      ];
      for (let t = 0; t < T; t++) {
        const chosen = place.value === t ? "strong" : "";
        nodes.push(
          text(x(t), 1.4 * f, label(tokens[t]), `mono center ${chosen}`, size),
          text(x(t), 2.5 * f, String(tokens[t]), "mono center tensor small", 0.6 * size),
          shape("path", { d: `M${x(t)} ${2.8 * f}v${1 * f}`, class: "edge arrow" }),
          text(x(t), 4.9 * f, label(tokens[t + 1]), `mono center accent ${chosen}`, size),
          text(x(t), 6 * f, String(tokens[t + 1]), "mono center tensor small", 0.6 * size),
        );
      }
      const before = (t) =>
        t
          ? `BOS ${tokens
              .slice(1, t + 1)
              .map(called)
              .join(" ")}`
          : "BOS alone";
      return {
        width: left + T * cell + f,
        height: 6.6 * f,
        nodes,
        label: `The name ${read} as ${T} pairs of a token and the one that comes next`,
        at: (px) =>
          px > left && px < left + T * cell ? [0, Math.floor((px - left) / cell)] : null,
        tell: (row, t) =>
          row === 0 &&
          t >= 0 &&
          t < T && {
            text: `Position ${t}: after ${before(t)} comes ${called(tokens[t + 1])}, token ${tokens[t + 1]}.`,
            box: [left + t * cell, 0.2 * f, cell, 6.2 * f],
            part: "tokens",
          },
        pick: (_, t) => {
          place.value = place.value === t ? null : t;
        },
        unpick: () => {
          const was = place.value;
          place.value = null;
          return was !== null;
        },
      };
    },
  });
  figure.append(
    caption(
      "Every token of the name is to foresee the one after it. · is BOS. A column that you " +
        "choose, by a click or with Enter, is singled out in all pictures.",
    ),
  );
  return picture;
}
