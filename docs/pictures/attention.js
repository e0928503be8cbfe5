// Section 5: the weights of every head, what each head does, and one head opened into its numbers.

import { looked, name, place, run, state, typed } from "../model/live.js";
import { caption, controls, momentSlider, nameField, trainButton } from "./controls.js";
import { called, element, label, number, percent, shape, text, time } from "./draw.js";
import { cells } from "./heat.js";
import { Picture } from "./picture.js";

// What a head does on these tokens, in a few words: the mean weights of BOS, of the token before, of the token itself.
export function habit(weights, head, T) {
  const means = { BOS: 0, "the token before": 0, "the token itself": 0 };
  let rows = 0;
  let chance = 0; // the mean weight of a token if all were heard alike
  for (let t = 2; t < T; t++, rows++) {
    chance += 1 / (t + 1);
    const at = (e) => weights[(head * T + t) * T + e];
    means.BOS += at(0);
    means["the token before"] += at(t - 1);
    means["the token itself"] += at(t);
  }
  if (!rows) return "too few tokens to tell";
  const [most, sum] = Object.entries(means).sort((a, b) => b[1] - a[1])[0];
  const share = sum / rows;
  const words = `${most} ${Math.round(100 * share)} %, by chance ${Math.round((100 * chance) / rows)} %`;
  return `${share > 0.5 ? "mostly" : share > (1.5 * chance) / rows ? "more than others" : "spread out"}: ${words}`;
}

export function attention(figure) {
  let wanted = null; // layer and head that the reader has opened; else the one that looks most at a single token
  let chosen;
  let of = ""; // the run and the name that it was chosen for
  figure.append(controls(nameField(), trainButton(), momentSlider()));
  const list = element("ul", { class: "habits" });
  const all = new Picture(figure, {
    name: "attention",
    hint: "Point at a cell to read its weight; click a row, or press Enter there, to open it.",
    follows: [name, run, state, place],
    draw(width, f) {
      const { T, made, tokens, step, name: read } = typed.value;
      const { layers, heads } = run.value.gpt;
      const shown = place.value !== null && place.value < T ? place.value : T - 1;
      const decided = ({ weights }, head) =>
        Math.max(...weights.subarray((head * T + shown) * T, (head * T + shown) * T + shown + 1));
      const last = made.layers[layers - 1];
      const most = Array.from({ length: heads }, (_, head) => decided(last, head));
      const key = `${run.value.id} ${name.value}`; // not with the moment, so that one head can be followed
      if (wanted || of !== key) chosen = wanted ?? [layers - 1, most.indexOf(Math.max(...most))];
      of = key;
      if (chosen[0] >= layers || chosen[1] >= heads) chosen = [0, 0];
      const edge = 1.4 * f;
      const side = (n) => (width - 1 - (n - 1) * 0.9 * f) / n - edge;
      let across = heads;
      while (across > 1 && side(across) / T < 0.72 * f) across--;
      across = Math.ceil(heads / Math.ceil(heads / across));
      const cell = Math.min(1.7 * f, side(across) / T);
      const gap = cell > 8 ? 1 : 0.5;
      const lines = Math.ceil(heads / across);
      const wide = edge + T * cell + 0.9 * f;
      const high = T * cell + 3.1 * f;
      const small = Math.min(0.85 * f, 0.95 * cell);
      const nodes = [];
      const corner = (layer, head) => [
        edge + (head % across) * wide,
        1.2 * f + (layer * lines + Math.floor(head / across)) * high,
      ];
      const single = place.value !== null && place.value < T ? place.value : null;
      list.replaceChildren();
      for (let layer = 0; layer < layers; layer++) {
        const { weights } = made.layers[layer];
        for (let head = 0; head < heads; head++) {
          const [x, y] = corner(layer, head);
          const at = (r, c) => weights[(head * T + r) * T + c];
          const title = layers > 1 ? `layer ${layer}, head ${head}` : `head ${head}`;
          list.append(element("li", {}, `${title}: ${habit(weights, head, T)}`));
          const open = chosen[0] === layer && chosen[1] === head;
          nodes.push(text(x, y - 0.45 * f, title, `small ${open ? "accent" : "muted"}`));
          const triangle = shape("g", {
            transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`,
            "data-part": "weights",
          });
          const part = (keep, kind) => {
            const value = (r, c) => (c <= r && keep(r) ? at(r, c) : undefined);
            triangle.append(
              shape("g", { class: kind }, ...cells(T, T, cell, gap, value, Math.sqrt)),
            );
          };
          if (single === null) part(() => true, "");
          else {
            part((r) => r !== single, "dimmed");
            part((r) => r === single, "");
          }
          nodes.push(triangle);
          for (let t = 0; t < T; t++) {
            const lit = single === t ? "accent strong" : "";
            nodes.push(
              text(
                x - 0.3 * f,
                y + (t + 0.5) * cell,
                label(tokens[t]),
                `mono end middle ${lit}`,
                small,
              ),
              text(
                x + (t + 0.5) * cell,
                y + T * cell + 0.9 * small,
                label(tokens[t]),
                "mono center",
                small,
              ),
            );
          }
        }
      }
      // Rows run through the lines of heads, columns through a line.
      const spot = (row, column) => {
        const line = Math.floor(row / T);
        const head = (line % lines) * across + Math.floor(column / T);
        return { layer: Math.floor(line / lines), head, r: row % T, c: column % T };
      };
      const exists = (row, column) => {
        if (row < 0 || column < 0 || row >= layers * lines * T || column >= across * T)
          return false;
        const { head, r, c } = spot(row, column);
        return head < heads && c <= r;
      };
      return {
        width,
        height: layers * lines * high + 0.2 * f,
        nodes,
        label: `Attention for the name ${read}, ${time(step)}: ${layers * heads} heads, each a triangle of ${T} rows`,
        start: [single ?? T - 1, 0],
        at: (px, py) => {
          const line = Math.floor((py - 1.2 * f) / high);
          const column = Math.floor((px - edge) / wide);
          const r = Math.floor((py - 1.2 * f - line * high) / cell);
          const c = Math.floor((px - edge - column * wide) / cell);
          if (line < 0 || column < 0 || column >= across || r < 0 || r >= T || c < 0 || c >= T)
            return null;
          const found = [line * T + r, column * T + c];
          return exists(...found) ? found : null;
        },
        tell: (row, column) => {
          if (!exists(row, column)) return null;
          const { layer, head, r, c } = spot(row, column);
          const [x, y] = corner(layer, head);
          const weight = made.layers[layer].weights[(head * T + r) * T + c];
          return {
            text:
              `${layers > 1 ? `layer ${layer}, ` : ""}head ${head}: at ${r}, ${called(tokens[r])}, it hears ` +
              `${called(tokens[c])} (${c}) by ${percent(weight)}`,
            box: [x + c * cell - gap / 2, y + r * cell - gap / 2, cell, cell],
            part: "weights",
          };
        },
        pick: (row, column) => {
          const { layer, head, r } = spot(row, column);
          const same = chosen[0] === layer && chosen[1] === head && place.value === r;
          wanted = [layer, head];
          place.value = same ? null : r;
          all.dirty();
          opened.dirty();
        },
        unpick: () => {
          const was = place.value;
          place.value = null;
          return was !== null;
        },
      };
    },
  });
  figure.append(list);
  const opened = new Picture(figure, {
    name: "head",
    hint: "Point at a token to read its score, its weight, and its share of what is heard.",
    follows: [name, run, state, place],
    draw(width, f) {
      const { T, made, tokens, step } = typed.value;
      const { layers, heads, width: wide } = run.value.gpt;
      const [layer, head] = [Math.min(chosen[0], layers - 1), Math.min(chosen[1], heads - 1)];
      const t = Math.min(looked.value, T - 1);
      const share = wide / heads;
      const { q, k, v, a, weights } = made.layers[layer];
      const first = head * share;
      const vector = (data, row) =>
        Array.from({ length: share }, (_, i) => data[row * wide + first + i]);
      const query = vector(q, t);
      const scores = Array.from({ length: t + 1 }, (_, e) => {
        const key = vector(k, e);
        return query.reduce((sum, each, i) => sum + each * key[i], 0) / Math.sqrt(share);
      });
      const columns = [2.6 * f, 10.4 * f, 16 * f, 24 * f];
      width = Math.min(width, 33 * f);
      const narrow = width < 30 * f;
      const cell = Math.min(1.3 * f, (narrow ? 0.2 * width : 6 * f) / share);
      const x = narrow ? [2.2, 9, 13.5, 19].map((n) => (n * width) / 26) : columns;
      const row = 1.5 * f;
      const top = 4.4 * f;
      const nodes = [];
      const strip = (data, left, y, part) =>
        nodes.push(
          shape(
            "g",
            {
              transform: `translate(${left.toFixed(2)} ${(y - 0.45 * f).toFixed(2)})`,
              "data-part": part,
            },
            ...cells(
              1,
              share,
              cell,
              1,
              (_, i) => data[i],
              (size) => size / 4,
              0.9 * f,
            ),
          ),
        );
      nodes.push(text(x[0], 0.9 * f, `query of ${called(tokens[t])} at ${t}`, "small"));
      strip(query, x[0] + 9 * f, 0.75 * f, "query");
      ["key", "score", "weight", "value"].forEach((words, i) =>
        nodes.push(text(x[i], 2.9 * f, words, "small muted")),
      );
      for (let e = 0; e <= t; e++) {
        const y = top + e * row;
        const weight = weights[(head * T + t) * T + e];
        nodes.push(text(x[0] - 0.6 * f, y, label(tokens[e]), "mono end middle"));
        strip(vector(k, e), x[0], y, "key");
        nodes.push(text(x[1] + 2.6 * f, y, number(scores[e], 2), "mono end middle small"));
        const bar = Math.max(1, weight * 4 * f);
        nodes.push(
          shape("rect", {
            x: x[2],
            y: y - 0.4 * f,
            width: bar,
            height: 0.8 * f,
            class: "cell above",
            "fill-opacity": 0.8,
          }),
        );
        nodes.push(text(x[2] + bar + 0.3 * f, y, weight.toFixed(2), "middle small"));
        strip(vector(v, e), x[3], y, "value");
      }
      const end = top + (t + 1) * row + 0.5 * f;
      nodes.push(
        shape("path", { d: `M${x[2]} ${end - 0.9 * f}H${x[3] + share * cell}`, class: "axis" }),
      );
      nodes.push(text(x[3] - 0.6 * f, end, "heard: the sum of weight × value", "end middle small"));
      strip(vector(a, t), x[3], end, "heard");
      const title = layers > 1 ? `layer ${layer}, head ${head}` : `head ${head}`;
      return {
        width,
        height: end + f,
        nodes,
        label: `${title} opened at token ${t}, ${called(tokens[t])}, ${time(step)}`,
        rest: `${title} at ${t}, ${called(tokens[t])}: every score is query · key / ${number(Math.sqrt(share), 0)}.`,
        at: (px, py) => {
          const e = Math.round((py - top) / row);
          return e >= 0 && e <= t ? [e, 0] : null;
        },
        tell: (e) =>
          e >= 0 &&
          e <= t && {
            text:
              `${called(tokens[e])} (${e}): score ${number(scores[e])}, weight ${percent(weights[(head * T + t) * T + e])}, ` +
              `value ${vector(v, e)
                .map((each) => number(each, 2))
                .join(" ")}`,
            box: [x[0] - 1.6 * f, top + (e - 0.5) * row, width - x[0] + 1.2 * f, row],
            part: "scores",
          },
      };
    },
  });
  figure.append(
    caption(
      "In each head, the weight that each token (row) gives to the tokens so far (column). The shade follows the square " +
        "root of the weight, from 0 to 1 at every moment, so that small ones show. · is BOS. Below, one head opened: keys, " +
        "scores, weights, values, and the mixture that is heard.",
    ),
  );
}
