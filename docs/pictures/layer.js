// Section 5: one layer at the token that is looked at: the stream, two branches, and every number of both.

import { looked, name, place, run, state, typed } from "../model/live.js";
import { caption, controls, momentSlider, nameField, trainButton } from "./controls.js";
import { called, element, label, number, percent, shape, text, time } from "./draw.js";
import { cells, heat } from "./heat.js";
import { Picture } from "./picture.js";

// The size of a number that has the full colour, at every moment.
const SCALES = { x0: 4, n: 4, x1: 4, n1: 4, x2: 4, query: 2, key: 2, value: 2, logits: 8 };
const SCALE = 1;
const MOST = 64; // columns of a stage that are drawn

// The stages of the model for the typed name: { id, name, of: the listing's part, step, kind, columns, value }.
export function stages() {
  const { made, T, probs } = typed.value;
  const { layers, width, heads, vocab } = run.value.gpt;
  const vector = (data, columns) => ({ columns, value: (t, c) => data[t * columns + c] });
  const minus = (a, b) => a.map((each, i) => each - b[i]);
  const list = [
    {
      id: "sums",
      name: "token + position",
      part: "sums",
      kind: "begin",
      ...vector(made.sums, width),
    },
    { id: "x0", name: "x", step: "norm", part: "x0", kind: "stream", ...vector(made.x0, width) },
  ];
  made.layers.forEach((kept, at) => {
    const which = layers > 1 ? ` ${at}` : "";
    const stage = (id, step, words, data, columns = width) =>
      list.push({
        id: `${id} ${at}`,
        name: words + which,
        step,
        part: id,
        kind: "branch",
        ...vector(data, columns),
      });
    stage("n", "1", "normalized", kept.n);
    stage("query", "2", "query", kept.q);
    stage("key", "3", "key", kept.k);
    stage("value", "4", "value", kept.v);
    list.push({
      id: `weights ${at}`,
      name: `weights${which}`,
      step: "5",
      part: "weights",
      kind: "branch",
      columns: heads * T,
      slices: T,
      value: (t, c) =>
        c % T <= t ? kept.weights[(Math.floor(c / T) * T + t) * T + (c % T)] : undefined,
    });
    stage("heard", "5", "heard", kept.a);
    list[list.length - 1].slices = width / heads;
    stage("output", "6", "output", minus(kept.x1, kept.x));
    list.push({
      id: `x1 ${at}`,
      name: "x",
      step: "6",
      part: "x1",
      kind: "stream",
      ...vector(kept.x1, width),
    });
    stage("n1", "7", "normalized", kept.n1);
    stage("hidden", "8", "hidden", kept.hidden, 4 * width);
    stage("down", "9", "MLP adds", minus(kept.x2, kept.x1));
    list.push({
      id: `x2 ${at}`,
      name: "x",
      step: "9",
      part: "x2",
      kind: "stream",
      ...vector(kept.x2, width),
    });
  });
  list.push(
    {
      id: "logits",
      name: "logits",
      part: "logits",
      kind: "end",
      tokens: true,
      ...vector(made.logits, vocab),
    },
    {
      id: "probs",
      name: "probabilities",
      part: "probs",
      kind: "end",
      tokens: true,
      ...vector(probs, vocab),
    },
  );
  return list;
}

export const scaleOf = (stage) => SCALES[stage.part] ?? SCALE;

export function layer(figure) {
  figure.append(controls(nameField(), trainButton(), momentSlider()));
  let open = null;
  const box = element("div");

  // What is said of a number, by the stage and the token.
  function words(stage, t, c) {
    const { tokens, T } = typed.value;
    const v = stage.value(t, c);
    const where = `${stage.step ? `${stage.step}: ` : ""}${stage.name} at ${t}, ${called(tokens[t])}`;
    if (stage.part === "weights") {
      const heard = `${called(tokens[c % T])} (${c % T})`;
      if (v === undefined) return `${where}: no token hears a later one.`;
      return `${where}: head ${Math.floor(c / T)} hears ${heard} by ${percent(v)}.`;
    }
    return `${where}, number ${c}${stage.tokens ? `, for ${called(c)}` : ""}: ${number(v)}.`;
  }

  const picture = new Picture(figure, {
    name: "layer",
    hint: "Point at a number to read it. Click a row, or press Enter on it, to open it for all tokens.",
    follows: [name, run, state, place],
    draw(width, f) {
      const list = stages();
      const t = looked.value;
      const { tokens, T, name: read, step: when } = typed.value;
      const { width: wide } = run.value.gpt;
      width = Math.min(width, 46 * f);
      const indent = 2.6 * f;
      const from = 10.4 * f;
      const room = width - from - indent - 0.5 * f;
      const tall = 1.3 * f;
      const nodes = [];
      const places = [];
      let y = 0.6 * f;
      let lastStream = null;
      list.forEach((stage, i) => {
        const stream = stage.kind !== "branch";
        const columns = Math.min(stage.columns, MOST);
        const left = from + (stream ? 0 : indent);
        const cell = Math.min(
          room / columns,
          columns > wide ? room / columns : room / Math.max(wide, 16),
        );
        const bars = stage.part === "probs"; // as on the first screen; 100 % is as high as the row
        const high = tall * (bars ? 2.2 : 0.72);
        const mid = y + (bars ? high - tall * 0.36 : high / 2);
        places.push({ stage, y, left, cell, columns, high });
        const gap = cell > 6 ? 1 : 0.3;
        const one = (c) => stage.value(t, c);
        const drawn = bars
          ? Array.from({ length: columns }, (_, c) =>
              shape("path", {
                d: `M${c * cell} ${high}v${-one(c) * high}h${cell - gap}V${high}z`,
                class: "odds-bar",
              }),
            )
          : cells(
              1,
              columns,
              cell,
              gap,
              (_, c) => one(c),
              (v) => v / scaleOf(stage),
              high,
            );
        const at = `translate(${left.toFixed(2)} ${y.toFixed(2)})`;
        nodes.push(shape("g", { transform: at, "data-part": stage.part }, ...drawn));
        if (stage.slices && stage.columns <= MOST) {
          for (let c = stage.slices; c < columns; c += stage.slices) {
            const d = `M${left + c * cell - gap / 2} ${y - 2}v${tall * 0.72 + 4}`;
            nodes.push(shape("path", { d, class: "cut" }));
          }
        }
        const kind = `end middle small ${stream ? "strong" : ""} ${open === stage.id ? "accent" : ""}`;
        nodes.push(text(from - 1.2 * f, mid, stage.name, kind));
        if (stage.step)
          nodes.push(text(stream ? 0.2 * f : 1.6 * f, mid, stage.step, "middle small muted mono"));
        if (stage.kind === "stream" || stage.kind === "end" || stage.kind === "begin") {
          const line = from - 0.6 * f;
          if (lastStream !== null) {
            nodes.push(shape("path", { d: `M${line} ${lastStream}V${mid}`, class: "stream" }));
          }
          nodes.push(shape("circle", { cx: line, cy: mid, r: 0.18 * f, class: "stream-dot" }));
          lastStream = mid;
        } else {
          const line = from + indent - 0.6 * f;
          const first = list[i - 1].kind !== "branch";
          const last = list[i + 1].kind !== "branch";
          if (first) {
            const d = `M${from - 0.6 * f} ${lastStream}Q${line} ${lastStream} ${line} ${mid}`;
            nodes.push(shape("path", { d, class: "branch" }));
          }
          nodes.push(
            shape("path", { d: `M${line} ${mid}v${last ? tall * 0.55 : tall}`, class: "branch" }),
          );
          if (last) {
            const end = y + tall + tall * 0.36;
            const d = `M${line} ${mid + tall * 0.55}Q${line} ${end} ${from - 0.3 * f} ${end}`;
            nodes.push(shape("path", { d, class: "branch" }));
            nodes.push(text(from + 0.1 * f, end - 0.5 * f, "+", "mono small muted"));
          }
        }
        y += bars ? high + tall * 0.28 : tall;
        if (stage.tokens && stage.part === "probs" && cell > 0.5 * f) {
          for (let c = 0; c < columns; c++) {
            const size = Math.min(0.75 * f, cell);
            const next = c === tokens[t + 1] ? "accent strong" : "muted";
            nodes.push(
              text(left + (c + 0.5) * cell, y + 0.2 * f, label(c), `mono center ${next}`, size),
            );
          }
          y += 0.8 * f;
        }
      });
      const tell = (i, c) => {
        const at = places[i];
        if (!at || c < 0 || c >= at.columns) return null;
        return {
          text: words(at.stage, t, c),
          box: [at.left + c * at.cell, at.y - 1, at.cell, at.high + 2],
          part: at.stage.part,
        };
      };
      return {
        width,
        height: y + 0.5 * f,
        nodes,
        label: `The way of token ${t} of ${read || "an empty name"}, ${called(tokens[t])}, through the model, ${time(when)}`,
        rest:
          `At ${t}, ${called(tokens[t])}${place.value === null ? ", the last token" : ""}. ` +
          "Click a row to open it for all tokens; choose another token by a click on one of them.",
        at: (px, py) => {
          const i = places.findIndex(
            (each) => py >= each.y - 2 && py < each.y + each.high + tall * 0.18,
          );
          if (i < 0) return null;
          const c = Math.floor((px - places[i].left) / places[i].cell);
          return [i, Math.max(0, Math.min(places[i].columns - 1, c))];
        },
        tell,
        pick: (i) => {
          open = open === places[i].stage.id ? null : places[i].stage.id;
          show();
        },
        unpick: () => {
          const was = open;
          open = null;
          show();
          return was !== null;
        },
        T,
      };
    },
  });

  let opened = null;
  function show() {
    opened?.remove();
    opened = null;
    picture.dirty();
    if (!open) return;
    opened = new Picture(box, {
      name: `layer-${open}`,
      hint: "Point at a cell, or use the arrow keys in the picture, to read its number.",
      follows: [name, run, state, place],
      draw(width, f) {
        const stage = stages().find(({ id }) => id === open) ?? stages()[0];
        const { T, tokens, name: read, step: when } = typed.value;
        const columns = Math.min(stage.columns, MOST);
        const made = heat(width, f, {
          rows: T,
          columns,
          value: stage.value,
          scale: scaleOf(stage),
          signed: !["weights", "probs", "hidden"].includes(stage.part),
          part: stage.part,
          rowLabel: (r) => label(tokens[r]),
          columnLabel: stage.tokens
            ? label
            : stage.part === "weights"
              ? (c) => label(tokens[c % T])
              : undefined,
          say: (r, c) => words(stage, r, c),
          label: `Heat map of ${stage.name} for all tokens of ${read}, ${time(when)}`,
        });
        made.pick = (r) => {
          place.value = place.value === r ? null : r;
        };
        return made;
      },
    });
  }
  figure.append(
    box,
    caption(
      "The way of one token through the model, from the embeddings down to the probabilities, at temperature 1. The line at the left is " +
        "the residual stream; each branch reads a normalized copy of it, and what it finds is added (+). The numbers " +
        "are the steps of the layer. Blue is above 0, red below, and each row keeps its scale at every moment. At the " +
        "end, the probabilities are bars.",
    ),
  );
}
