// Section 8: one parameter through a whole training: its gradients, their two means, its steps, itself.

import { effect, untracked } from "@preact/signals-core";
import { goTo, progress, run, state, trace, typed } from "../model/live.js";
import { button, caption, controls, momentSlider, trainButton } from "./controls.js";
import { called, element, exact, number, shape, steps, text, whole } from "./draw.js";
import { Picture } from "./picture.js";

const BETA1 = 0.85;
const BETA2 = 0.99;

export function adam(figure) {
  const token = element("select", { "aria-label": "token" });
  const choice = element("select", { "aria-label": "number of the embedding" });
  let history = null; // [[gradient, m, v, number], ...]
  let of = ""; // what it is the history of
  effect(() => {
    const { gpt } = run.value;
    const options = (count, words) =>
      Array.from({ length: count }, (_, i) => element("option", { value: i }, words(i)));
    untracked(() => {
      const before = typed.value.tokens[1] ?? 0;
      token.replaceChildren(...options(Math.min(gpt.vocab, 200), called));
      choice.replaceChildren(...options(gpt.width, String));
      token.value = Math.min(before, gpt.vocab - 1);
    });
  });
  const wanted = () => `${run.value.id} ${token.value} ${choice.value} ${progress.value.step}`;
  function ask() {
    const key = wanted();
    if (of === key || progress.value.running || !progress.value.step) return;
    of = key;
    trace(+token.value * run.value.gpt.width + +choice.value, (found) => {
      if (of !== key) return;
      history = found;
      picture.dirty();
    });
  }
  const show = button("Trace it", () => ask());
  const named = element("label", {}, "token ", token);
  const which = element("label", {}, "number ", choice);
  figure.append(controls(named, which, show, trainButton(), momentSlider()));
  for (const select of [token, choice]) {
    select.addEventListener("change", () => {
      history = null;
      ask();
      picture.dirty();
    });
  }
  const picture = new Picture(figure, {
    name: "adam",
    hint: "Point at a step, or use the arrow keys in the picture, to read it; click to go to its moment.",
    follows: [run, progress, state],
    shown: ask,
    draw(width, f) {
      if (picture.onScreen) ask();
      if (history && !of.startsWith(`${run.value.id} ${token.value} ${choice.value} `))
        history = null;
      const all = history ?? [];
      const total = Math.max(1, all.length);
      const from = 4.2 * f;
      const to = width - 6.5 * f;
      const panel = Math.min(9 * f, 0.3 * width);
      const x = (step) => from + (step / total) * (to - from);
      const nodes = [];
      const size = all.reduce((most, [g]) => Math.max(most, Math.abs(g)), 1e-9);
      const numbers = all.map(([, , , value]) => value);
      const [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
      const panels = [
        {
          top: 1.2 * f,
          y: (v) => 1.2 * f + panel / 2 - ((v / size) * panel) / 2,
          words: "gradient",
        },
        {
          top: 2.8 * f + panel,
          y: (v) => 2.8 * f + 2 * panel - ((v - low) / (high - low || 1)) * panel,
          words: "parameter",
        },
      ];
      const line = (pick, y, kind) => {
        const stride = Math.max(1, Math.floor(all.length / (to - from)));
        const points = [];
        for (let i = 0; i < all.length; i += stride) {
          points.push(`${x(i + 1).toFixed(1)} ${y(pick(all[i], i + 1)).toFixed(1)}`);
        }
        if (points.length) nodes.push(shape("path", { d: "M" + points.join("L"), class: kind }));
      };
      for (const { top, y, words } of panels) {
        nodes.push(shape("path", { d: `M${from} ${y(0)}H${to}`, class: "axis" }));
        nodes.push(text(from - 0.4 * f, y(0), "0", "end middle muted small"));
        nodes.push(text(from, top - 0.3 * f, words, "small muted"));
      }
      if (all.length) {
        for (const [value, y] of [
          [size, panels[0].y],
          [-size, panels[0].y],
          [low, panels[1].y],
          [high, panels[1].y],
        ]) {
          if (value)
            nodes.push(text(from - 0.4 * f, y(value), number(value, 2), "end middle muted small"));
        }
      }
      const [upper, lower] = panels;
      const m = ([, first], step) => first / (1 - BETA1 ** step);
      const root = ([, , second], step) => Math.sqrt(second / (1 - BETA2 ** step));
      let dots = "";
      const stride = Math.max(1, Math.floor(all.length / (2 * (to - from))));
      for (let i = 0; i < all.length; i += stride) {
        if (all[i][0])
          dots += `M${x(i + 1).toFixed(1)} ${upper.y(0).toFixed(1)}V${upper.y(all[i][0]).toFixed(1)}`;
      }
      nodes.push(shape("path", { d: dots, class: "each gradient" }));
      line(root, upper.y, "band");
      line((row, step) => -root(row, step), upper.y, "band");
      line(m, upper.y, "mean gradient");
      line(([, , , value]) => value, lower.y, "mean tensor");
      const { step: now } = state.value;
      const at = Math.min(now, total);
      if (all.length) {
        nodes.push(
          shape("path", { d: `M${x(at)} ${1.2 * f}V${2.8 * f + 2 * panel}`, class: "now-line" }),
          text(
            to + 0.5 * f,
            upper.y(root(all[all.length - 1], total)) - 0.6 * f,
            "√v",
            "middle small",
          ),
          text(
            to + 0.5 * f,
            upper.y(m(all[all.length - 1], total)) + 0.6 * f,
            "m",
            "middle small gradient",
          ),
          text(
            to + 0.5 * f,
            lower.y(numbers[numbers.length - 1]),
            number(numbers[numbers.length - 1], 3),
            "middle small tensor",
          ),
          text(to, 4 * f + 2 * panel, steps(total), "end small muted"),
        );
      } else {
        const words = progress.value.running
          ? "It is traced when the training rests."
          : progress.value.step
            ? "It is being traced."
            : "Train first: there is nothing to trace yet.";
        nodes.push(text(from + f, upper.y(0) - f, words, "muted"));
      }
      const { rate, steps: planned } = run.value.knobs;
      const tell = (row, step) => {
        if (row !== 0 || step < 1 || step > all.length) return null;
        const entry = all[step - 1];
        const pace = rate * (1 - (step - 1) / planned);
        const by = (m(entry, step) / (root(entry, step) + 1e-8)) * pace;
        return {
          text:
            `Step ${whole(step)}: gradient ${number(entry[0])}, m ${number(m(entry, step))}, √v ${number(root(entry, step))}, ` +
            `so it moves by ${exact(-by)} to ${number(entry[3])}; the rate is ${number(pace, 5)}.`,
          box: [x(step) - 1, 1.2 * f, 2, 1.6 * f + 2 * panel],
          part: "adam",
        };
      };
      return {
        width,
        height: 4.6 * f + 2 * panel,
        nodes,
        tell,
        rest: tell(0, Math.max(1, at))?.text,
        start: [0, Math.max(1, at)],
        label: `token[${token.value}][${choice.value}] over ${steps(all.length)}: its gradients, their means, and itself`,
        at: (px) =>
          all.length && px >= from && px <= to
            ? [0, Math.max(1, Math.min(total, Math.round(((px - from) / (to - from)) * total)))]
            : null,
        pick: (_, step) => goTo(step),
      };
    },
  });
  figure.append(
    caption(
      "One number of an embedding over the training. Above, thin: its gradient at every step; thick: the first moment, " +
        "corrected; grey: plus and minus the root of the second. Below: the number itself. It moves by the rate times the " +
        "thick line over the grey one. The axes span the whole training.",
    ),
  );
}
