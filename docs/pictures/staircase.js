// Section 11: the staircase: steps 1 to 9 down, the loss, and 9 to 1 back up, with the gradient of every stage.

import { looked, name, place, run, state, typed } from "../model/live.js";
import { button, caption, controls, momentSlider, nameField } from "./controls.js";
import { called, number, shape, text, time } from "./draw.js";
import { cells } from "./heat.js";
import { scaleOf } from "./layer.js";
import { Picture } from "./picture.js";

const MOST = 64; // numbers of a wide row that are drawn
const GRADIENT = 0.1; // the size of a gradient that has the full colour
const FROM = {
  logits: "dlogits is the probabilities, minus 1 at the target, divided by the number of targets.",
  x2: "dx comes from dlogits, through lm_head.",
  hidden: "dhidden comes from dx, through “down”.",
  n1: "dn1 comes from dhidden, through relu and “up”.",
  x1: "dx1 is a sum: dx, and what comes from dn1 through the norm.",
  heard: "dheard comes from dx1, through “output”.",
  value: "dvalue comes from dheard, by the weights, for every token that listened.",
  key: "dkey comes from dheard, too: through the weights, softmax and the scores.",
  query: "dquery comes from dheard, too: through the weights, softmax and the scores.",
  n: "dn is a sum of three: what comes from dquery, dkey and dvalue, through their matrices.",
  x0: "dx is a sum: dx1, and what comes from dn through the norm.",
};

export function staircase(figure) {
  let walked = 12; // stages whose gradient is there: at first all
  let picture = null;
  const back = button("Back one step", () => go(walked + 1));
  const all = button("All the way", () => go(Infinity));
  const again = button("From the start", () => go(0));
  back.disabled = true;
  figure.append(controls(nameField(), momentSlider()), controls(again, back, all));
  function go(to) {
    walked = Math.max(0, Math.min(12, to));
    back.disabled = walked === 12;
    picture.dirty();
  }
  picture = new Picture(figure, {
    name: "staircase",
    hint: "Point at a number to read it, or start over and go back step by step.",
    follows: [name, run, state, place],
    draw(width, f) {
      const { tokens, T, step, name: read } = typed.value;
      const { gpt } = run.value;
      const { width: wide, layers, vocab } = gpt;
      const t = looked.value;
      const found = gpt.walk(state.value.numbers, tokens, new Float64Array(gpt.count));
      const top = layers - 1;
      const now = found.made.layers[top];
      const d = found.back[top];
      const stairs = [
        { step: "1", name: "norm", part: "n", data: now.n, grad: d.dn, columns: wide },
        { step: "2", name: "query", part: "query", data: now.q, grad: d.dq, columns: wide },
        { step: "3", name: "key", part: "key", data: now.k, grad: d.dk, columns: wide },
        { step: "4", name: "value", part: "value", data: now.v, grad: d.dv, columns: wide },
        { step: "5", name: "heard", part: "heard", data: now.a, grad: d.da, columns: wide },
        {
          step: "6",
          name: "x1",
          part: "x1",
          data: now.x1,
          grad: d.dx1,
          columns: wide,
          stream: true,
        },
        { step: "7", name: "norm", part: "n1", data: now.n1, grad: d.dn1, columns: wide },
        {
          step: "8",
          name: "hidden",
          part: "hidden",
          data: now.hidden,
          grad: d.dhidden,
          columns: 4 * wide,
        },
        {
          step: "9",
          name: "x",
          part: "x2",
          data: now.x2,
          grad: d.dx2,
          columns: wide,
          stream: true,
        },
        {
          step: "",
          name: "logits",
          part: "logits",
          data: found.made.logits,
          grad: found.dlogits,
          columns: vocab,
        },
      ];
      stairs.unshift({
        step: "",
        name: "x",
        part: "x0",
        data: now.x,
        grad: d.dx,
        columns: wide,
        stream: true,
      });
      for (const stair of stairs) stair.shown = Math.min(stair.columns, MOST);
      width = Math.min(width, 56 * f);
      const row = 1.75 * f;
      const half = width / 2 - 0.5 * f;
      const names = Math.min(5 * f, 0.4 * half);
      const slant = Math.min(0.55 * f, (0.12 * half) / stairs.length);
      const room = half - names - slant * stairs.length;
      const nodes = [
        text(0, 0.9 * f, "forward", "small muted"),
        text(width - 1, 0.9 * f, "back", "end small gradient"),
      ];
      const places = [];
      stairs.forEach((stair, i) => {
        const y = 1.9 * f + i * row;
        const cell = room / Math.max(stair.shown, 16);
        const gap = cell > 6 ? 1 : 0.2;
        const left = names + slant * i;
        const strip = (data, from, scale, kind) =>
          nodes.push(
            shape(
              "g",
              {
                transform: `translate(${from.toFixed(2)} ${y.toFixed(2)})`,
                "data-part": stair.part,
                class: kind,
              },
              ...cells(
                1,
                stair.shown,
                cell,
                gap,
                (_, c) => data[t * stair.columns + c],
                (v) => v / scale,
                f,
              ),
            ),
          );
        const kind = stair.stream ? "middle small strong" : "middle small";
        nodes.push(
          text(
            left - 0.5 * f,
            y + 0.5 * f,
            `${stair.step ? `${stair.step}  ` : ""}${stair.name}`,
            `end ${kind}`,
          ),
        );
        strip(stair.data, left, scaleOf(stair), "");
        const right = width - names - slant * i - cell * stair.shown;
        const there = stairs.length - i <= walked;
        if (there) {
          strip(stair.grad, right, GRADIENT, "gradients");
          nodes.push(
            text(
              width - names - slant * i + 0.5 * f,
              y + 0.5 * f,
              `d${stair.part === "x0" || stair.part === "x2" ? "x" : stair.name === "norm" ? stair.part : stair.name}`,
              "middle small gradient",
            ),
          );
        }
        places.push({ y, left, right, cell, there });
      });
      const bottom = 1.9 * f + stairs.length * row;
      if (walked > 0)
        nodes.push(text(width / 2, bottom + 0.6 * f, `loss ${number(found.loss)}`, "center loss"));
      const count = stairs.length;
      const tell = (i, c) => {
        const stair = stairs[i];
        const back_ = c >= 1000;
        const column = back_ ? c - 1000 : c;
        if (!stair || column < 0 || column >= stair.shown || (back_ && !places[i].there))
          return null;
        const { y, left, right, cell } = places[i];
        const value = (back_ ? stair.grad : stair.data)[t * stair.columns + column];
        const where = `${stair.step ? `step ${stair.step}, ` : ""}${stair.name}[${column}] at ${t}, ${called(tokens[t])}`;
        return {
          text: back_
            ? `The gradient of ${where}: ${number(value, 5)}`
            : `${where}: ${number(value)}`,
          box: [(back_ ? right : left) + column * cell, y - 1, cell, f + 2],
          part: stair.part,
        };
      };
      const sentence =
        walked === 0
          ? "Forward: steps 1 to 9, then the logits. Now go back, one step at a time."
          : walked <= count
            ? FROM[stairs[count - walked].part]
            : "Back at the top: dx goes on to the layer before, or to the embeddings.";
      return {
        width,
        height: bottom + 1.2 * f,
        nodes,
        rest: sentence,
        label: `Steps 1 to 9 forward and ${Math.min(walked, count)} of ${count} stages back, for token ${t} of ${read}, ${time(step)}; ${T} tokens`,
        at: (px, py) => {
          const i = places.findIndex((each) => py >= each.y - 3 && py < each.y + row - 3);
          if (i < 0) return null;
          const { left, right, cell, there } = places[i];
          if (there && px >= right) return [i, 1000 + Math.floor((px - right) / cell)];
          return [i, Math.floor((px - left) / cell)];
        },
        tell,
      };
    },
    key(event) {
      if (event.key !== "Enter" && event.key !== " ") return false;
      go(walked >= 12 ? 0 : walked + 1);
      return true;
    },
  });
  figure.append(
    caption(
      "One token of the name: down the left side what every step of the last layer makes, and up the right side the " +
        "gradient of the loss with respect to it. Numbers are blue above 0 and red below, gradients orange above and violet below. The " +
        "scale of a row is that of the picture in section 5; a gradient of 0.1 has the full colour, at every moment.",
    ),
  );
}
