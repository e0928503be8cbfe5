// Section 10: the probabilities of what comes next, at every place of the typed name, under the temperature.

import { softmax } from "../model/layers.js";
import { name, place, run, state, temperature, typed } from "../model/live.js";
import {
  caption,
  controls,
  momentSlider,
  nameField,
  temperatureSlider,
  trainButton,
} from "./controls.js";
import { called, label, percent, shape, text, time, whole } from "./draw.js";
import { Picture } from "./picture.js";

const MOST = 40; // tokens of a large alphabet that are drawn

// The tokens to draw: all, or the likeliest anywhere and those of the name.
export function shown(probs, vocab, tokens) {
  const all = Array.from({ length: vocab }, (_, token) => token);
  if (vocab <= MOST) return all;
  const best = new Float64Array(vocab);
  for (let i = 0; i < probs.length; i++) best[i % vocab] = Math.max(best[i % vocab], probs[i]);
  for (const token of tokens) best[token] += 1;
  return all
    .sort((a, b) => best[b] - best[a] || a - b)
    .slice(0, MOST)
    .sort((a, b) => a - b);
}

export function odds(figure) {
  figure.append(controls(nameField(), temperatureSlider(), trainButton(), momentSlider()));
  new Picture(figure, {
    name: "odds",
    hint: "Point at a bar, or use the arrow keys in the picture, to read the probability.",
    follows: [name, run, state, temperature, place],
    draw(width, f) {
      const { T, made, tokens, step, name: read } = typed.value;
      const { vocab } = run.value.gpt;
      const heat = temperature.value;
      const p = softmax(made.logits, vocab, heat);
      const columns = shown(p, vocab, tokens.slice(0, T + 1));
      const left = 3 * f;
      const right = width - 5.6 * f;
      const bar = Math.min(1.5 * f, (right - left) / columns.length);
      const end = left + bar * columns.length;
      const row = Math.max(1.5 * f, Math.min(2.8 * f, Math.min(26 * f, 0.5 * innerHeight) / T));
      const top = 1.4 * f;
      const small = Math.min(0.8 * f, 1.15 * bar);
      const base = (t) => top + (t + 1) * row;
      const full = row - 0.25 * f; // the height of 100 %
      const nodes = [
        text(left - 0.6 * f, 0.9 * f, "after", "end small muted"),
        text(end + 0.6 * f, 0.9 * f, "comes", "small muted"),
      ];
      columns.forEach((token, i) => {
        for (const y of [0.9 * f, base(T - 1) + 1 * f]) {
          nodes.push(text(left + (i + 0.5) * bar, y, label(token), "mono center", small));
        }
      });
      let others = "";
      let next = "";
      for (let t = 0; t < T; t++) {
        const lit = place.value === t ? "accent strong" : "";
        nodes.push(
          shape("path", { d: `M${left} ${base(t)}H${end}`, class: "grid" }),
          text(left - 0.6 * f, base(t) - 0.15 * f, label(tokens[t]), `mono end ${lit}`),
        );
        columns.forEach((token, i) => {
          const h = p[t * vocab + token] * full;
          const from = (left + (i + 0.12) * bar).toFixed(1);
          const d = `M${from} ${base(t).toFixed(1)}v${(-h).toFixed(2)}h${(0.76 * bar).toFixed(1)}V${base(t).toFixed(1)}z`;
          if (token === tokens[t + 1]) next += d;
          else others += d;
        });
        if (tokens[t + 1] !== undefined) {
          const share = percent(p[t * vocab + tokens[t + 1]]);
          nodes.push(
            text(
              end + 0.6 * f,
              base(t) - 0.15 * f,
              `${label(tokens[t + 1])} ${share}`,
              "mono small accent",
            ),
          );
        }
      }
      nodes.push(
        shape("path", { d: others, class: "odds-bar", "data-part": "probs" }),
        shape("path", { d: next, class: "odds-bar next", "data-part": "probs" }),
      );
      const tell = (t, i) =>
        t >= 0 &&
        t < T &&
        columns[i] !== undefined && {
          text:
            `after ${
              t
                ? `“${tokens
                    .slice(1, t + 1)
                    .map(label)
                    .join("")}”`
                : "BOS"
            } comes ${called(columns[i])} with ` +
            `${percent(p[t * vocab + columns[i]])}${columns[i] === tokens[t + 1] ? ", as in the name" : ""}`,
          box: [left + i * bar, base(t) - row + 0.1 * f, bar, row],
          part: "probs",
        };
      return {
        width,
        height: base(T - 1) + 1.6 * f,
        nodes,
        tell,
        label:
          `Probabilities of the next token at the ${T} places of the name ${read}, ${time(step)}, at temperature ` +
          `${heat.toFixed(2)}; a full row is 100 %`,
        at: (x, y) => {
          const found = [Math.floor((y - top) / row), Math.floor((x - left) / bar)];
          return tell(...found) ? found : null;
        },
        pick: (t) => {
          place.value = place.value === t ? null : t;
        },
        rest:
          "A bar that fills its row is 100 %. Point at a bar, or use the arrow keys in the picture, to read it." +
          (vocab > MOST ? ` The ${MOST} likeliest of ${whole(vocab)} tokens are drawn.` : ""),
      };
    },
  });
  figure.append(
    caption(
      "Each row: the probabilities of what comes next, under the temperature; green, what the name goes on with. The scale " +
        "is the same at every moment and every temperature: a full row is 100 %. · is BOS.",
    ),
  );
}
