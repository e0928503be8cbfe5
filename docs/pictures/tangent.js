// Section 7: one parameter is nudged; the slope of the loss is its gradient.

import { effect } from "@preact/signals-core";
import { name, run, state, typed } from "../model/live.js";
import { caption, controls, momentSlider, nameField, twoSides } from "./controls.js";
import { called, element, number, shape, text, time } from "./draw.js";
import { Picture } from "./picture.js";

const REACH = 0.5; // how far the parameter can be nudged, to both sides
const POINTS = 41;
const MOST = 745; // -log of the smallest number above 0: a larger loss cannot be told from an infinite one

export function tangent(figure) {
  const choice = element("select", { "aria-label": "number of the embedding" });
  const token = element("select", { "aria-label": "token of the name" });
  let nudge = 0.2;
  let offered = "";
  let picked = false; // by the reader; else the number that has the largest gradient when the token comes up
  let of = ""; // the run, the name and the token that it was looked for in
  effect(() => {
    const { tokens, T } = typed.value;
    const before = token.value;
    const all = [...new Set(tokens.slice(0, T))];
    if (String(all) === offered) return;
    offered = String(all);
    token.replaceChildren(...all.map((each) => element("option", { value: each }, called(each))));
    token.value = all.includes(+before) && before !== "" ? before : all[0];
  });
  effect(() => {
    const { width } = run.value.gpt;
    if (choice.options.length === width) return;
    choice.replaceChildren(
      ...Array.from({ length: width }, (_, i) => element("option", { value: i }, String(i))),
    );
  });
  const named = element("label", {}, "token ", token);
  const which = element("label", {}, "number ", choice);
  figure.append(controls(nameField(), named, which, momentSlider()));
  const [left, right] = twoSides(figure);
  const picture = new Picture(left, {
    beside: right,
    name: "tangent",
    hint: "Drag the dot, or use the left and right arrow keys in the picture.",
    follows: [name, run, state],
    draw(width, f) {
      const { gpt } = run.value;
      const { tokens } = typed.value;
      const { step, numbers } = state.value;
      const tried = numbers.slice();
      const scratch = new Float64Array(gpt.count);
      const loss0 = Math.min(MOST, gpt.explicit(tried, tokens, scratch));
      const row = +token.value * gpt.width;
      const sizes = Array.from(scratch.subarray(row, row + gpt.width), Math.abs);
      const key = `${run.value.id} ${tokens} ${token.value}`;
      if (!picked && of !== key) choice.value = sizes.indexOf(Math.max(...sizes));
      of = key;
      const index = row + +choice.value;
      const here = numbers[index];
      const slope = scratch[index];
      const loss = (by) => {
        tried[index] = here + by;
        return Math.min(MOST, gpt.lossOf(tried, tokens));
      };
      const curve = Array.from({ length: POINTS }, (_, i) => {
        const by = -REACH + (2 * REACH * i) / (POINTS - 1);
        return [by, loss(by)];
      });
      const from = 3.4 * f;
      const to = width - 1 * f;
      const top = 0.8 * f;
      const bottom = Math.min(16 * f, 0.55 * width, 0.45 * innerHeight);
      const span = 0.2; // of loss, above and below the present one
      const x = (by) => from + ((by + REACH) / (2 * REACH)) * (to - from);
      const y = (l) =>
        bottom -
        ((Math.max(-span, Math.min(span, l - loss0)) + span) / (2 * span)) * (bottom - top);
      const nodes = [];
      for (const l of [-span, -span / 2, 0, span / 2, span]) {
        nodes.push(shape("path", { d: `M${from} ${y(loss0 + l)}H${to}`, class: "grid" }));
        nodes.push(
          text(from - 0.4 * f, y(loss0 + l), (loss0 + l).toFixed(2), "end middle muted small"),
        );
      }
      nodes.push(
        text(from + 0.4 * f, top + 0.3 * f, "loss", "middle small muted"),
        text(to, bottom - 0.8 * f, `token[${token.value}][${choice.value}]`, "end small muted"),
      );
      for (const by of [-REACH, 0, REACH]) {
        const words = number(here + by, 2);
        nodes.push(text(Math.min(x(by), to - f), bottom + 1.1 * f, words, "center muted small"));
      }
      const path = curve.map(([by, l]) => `${x(by).toFixed(1)} ${y(l).toFixed(1)}`).join("L");
      const line = `M${x(-REACH)} ${y(loss0 - slope * REACH)}L${x(REACH)} ${y(loss0 + slope * REACH)}`;
      const now = loss(nudge);
      nodes.push(
        shape("path", { d: "M" + path, class: "mean" }),
        shape("path", { d: line, class: "edge active" }),
        shape("circle", { cx: x(0), cy: y(loss0), r: 0.22 * f, class: "dot" }),
        shape("path", { d: `M${x(0)} ${y(loss0)}H${x(nudge)}V${y(now)}`, class: "level" }),
        shape("circle", { cx: x(nudge), cy: y(now), r: 0.4 * f, class: "dot vowel grip" }),
      );
      const measured = nudge ? (now - loss0) / nudge : slope;
      return {
        width,
        height: bottom + 1.6 * f,
        nodes,
        label: `The loss against one parameter, ${time(step)}: the gradient is ${number(slope)}`,
        rest:
          `token[${token.value}][${choice.value}] is ${number(here)}, its gradient ${number(slope)}. Nudged by ` +
          `${number(nudge, 3)}, the loss changes by ${number(now - loss0)}: ${number(measured)} for each 1.`,
        grab: () => (px) => {
          const by = ((px - from) / (to - from)) * 2 * REACH - REACH;
          nudge = Math.max(-REACH, Math.min(REACH, Math.round(by * 200) / 200));
          picture.dirty();
        },
      };
    },
    key(event) {
      const way = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!way) return false;
      nudge = Math.max(-REACH, Math.min(REACH, +(nudge + way).toFixed(3)));
      picture.dirty();
      return true;
    },
  });
  choice.addEventListener("change", () => {
    picked = true;
  });
  for (const select of [choice, token]) select.addEventListener("change", () => picture.dirty());
  right.append(
    caption(
      "Purple, the loss of the name while one number of an embedding changes and all others stay; " +
        "orange, the tangent, whose slope is the gradient by backprop. The smaller the nudge, the closer " +
        "the measured slope comes. The axes always span 1 in the parameter and 0.4 in the loss.",
    ),
  );
}
