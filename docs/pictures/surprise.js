// Section 6: the curve of -log p, with the tokens of the typed name on it.

import { name, place, run, state, typed } from "../model/live.js";
import { caption, controls, momentSlider, nameField, trainButton, twoSides } from "./controls.js";
import { called, label, number, percent, shape, text, time } from "./draw.js";
import { Picture } from "./picture.js";

const MOST = 7; // the largest surprise that the axis shows: that of one in a thousand, and a little more

export function surprise(figure) {
  figure.append(controls(nameField(), trainButton(), momentSlider()));
  const [left, right] = twoSides(figure);
  new Picture(left, {
    beside: right,
    name: "surprise",
    hint: "Point at a dot, or use the arrow keys in the picture, to read a surprise.",
    follows: [name, run, state, place],
    draw(width, f) {
      const { tokens, T, probs, step, name: read } = typed.value;
      const { vocab } = run.value.gpt;
      const from = 2.6 * f;
      const to = width - 7 * f;
      const top = 1 * f;
      const bottom = Math.min(18 * f, 0.6 * width, 0.5 * innerHeight);
      const x = (p) => from + p * (to - from);
      const y = (s) => bottom - (Math.min(s, MOST) / MOST) * (bottom - top);
      const nodes = [];
      for (let s = 0; s < MOST; s++) {
        const line = `M${from} ${y(s)}H${to}`;
        nodes.push(shape("path", { d: line, class: s ? "grid" : "axis" }));
        nodes.push(text(from - 0.5 * f, y(s), String(s), "end middle muted small"));
      }
      for (const p of [0, 0.25, 0.5, 0.75, 1]) {
        nodes.push(text(x(p), bottom + 1.1 * f, String(p), "center muted small"));
      }
      nodes.push(text(to + 0.6 * f, bottom + 1.1 * f, "p", "muted small"));
      const curve = Array.from({ length: 120 }, (_, i) => {
        const s = (MOST * (i + 0.0001)) / 119;
        return `${x(Math.exp(-s)).toFixed(1)} ${y(s).toFixed(1)}`;
      });
      nodes.push(shape("path", { d: "M" + curve.join("L"), class: "mean" }));
      const all = Array.from({ length: T }, (_, t) => probs[t * vocab + tokens[t + 1]]);
      const surprises = all.map((p) => Math.log(1 / p));
      const mean = surprises.reduce((sum, s) => sum + s, 0) / T;
      const know = Math.log(vocab);
      const heights = [
        [know, `guess ${know.toFixed(2)}`, "muted"],
        [mean, `mean ${mean.toFixed(2)}`, "loss"],
      ];
      heights.sort((a, b) => b[0] - a[0]);
      let free = -Infinity;
      for (const [s, words, kind] of heights) {
        nodes.push(shape("path", { d: `M${from} ${y(s)}H${to}`, class: `level ${kind}` }));
        free = Math.max(free + 1.1 * f, y(s));
        nodes.push(text(to + 0.5 * f, free, words, `middle small ${kind}`));
      }
      const spots = [];
      all.forEach((p, t) => {
        const px = x(p);
        const py = y(surprises[t]);
        // Labels stand beside their dots, one after another, and in a row above where there is no room.
        let side = Math.min(px + 0.5 * f, to - f);
        let up = py - 0.35 * f;
        const taken = ([a, b]) => Math.abs(a - side) < 0.9 * f && Math.abs(b - up) < 1.15 * f;
        while (spots.some(taken)) {
          side += 0.9 * f;
          if (side > to - f) [side, up] = [Math.min(px + 0.5 * f, to - f), up - 1.2 * f];
        }
        spots.push([side, up]);
        if (side > px + 0.6 * f || up < py - 0.6 * f)
          nodes.push(shape("path", { d: `M${px} ${py}L${side} ${up}`, class: "leader" }));
        const chosen = place.value === t;
        nodes.push(
          shape("circle", { cx: px, cy: py, r: 0.22 * f, class: chosen ? "dot vowel" : "dot" }),
        );
        nodes.push(
          text(side, up, label(tokens[t + 1]), `mono halo ${chosen ? "accent strong" : ""}`),
        );
      });
      return {
        width,
        height: bottom + 1.7 * f,
        nodes,
        label: `The surprise at each token of ${read}, ${time(step)}; their mean is ${mean.toFixed(2)}`,
        rest: `The loss of ${read || "an empty name"}, ${time(step)}: ${number(mean)}, the mean of ${T} surprises.`,
        at: (px, py) => {
          let best = null;
          let least = 2 * f;
          all.forEach((p, t) => {
            const d = Math.hypot(x(p) - px, y(surprises[t]) - py);
            if (d < least) [least, best] = [d, [0, t]];
          });
          return best;
        },
        tell: (row, t) =>
          row === 0 &&
          t >= 0 &&
          t < T && {
            text:
              `At ${t}, after ${called(tokens[t])}: ${called(tokens[t + 1])} had the probability ` +
              `${percent(all[t])}, so the surprise is ${number(surprises[t], 2)}.`,
            box: [x(all[t]) - 0.6 * f, y(surprises[t]) - 0.6 * f, 1.2 * f, 1.2 * f],
            part: "surprises",
          },
        pick: (_, t) => {
          place.value = place.value === t ? null : t;
        },
      };
    },
  });
  right.append(
    caption(
      "The curve is -log p, from a sure token at the right, surprise 0, to impossible ones at the " +
        "left. Each dot is a token of the name. The axes stay as they are at every moment.",
    ),
  );
}
