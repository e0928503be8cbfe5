// Section 9: the loss of every step, beside models that only count, the recorded run and the run to compare with.

import * as live from "../model/live.js";
import { effect } from "@preact/signals-core";
import {
  button,
  caption,
  controls,
  knob,
  momentSlider,
  paceBox,
  trainButton,
  twoSides,
} from "./controls.js";
import { element, number, shape, short, steps, text, time, whole } from "./draw.js";
import { Picture } from "./picture.js";

const WINDOW = 100;
const ABOVE = 0.7; // how far the axis goes beyond the loss of knowing nothing

// Prefix sums: the mean of any stretch in two looks.
export function sums(losses) {
  const made = new Float64Array(losses.length + 1);
  for (let i = 0; i < losses.length; i++) made[i + 1] = made[i] + losses[i];
  return made;
}
export const meanAt = (prefix, done) =>
  (prefix[done] - prefix[Math.max(0, done - WINDOW)]) / Math.min(done, WINDOW);

// The curve of the losses; small: without what is only for the large picture.
export function lossPicture(parent, { beside = parent, tall = 17, small = false } = {}) {
  const { recorded } = live;
  return new Picture(parent, {
    beside,
    name: small ? "loss-small" : "loss",
    hint: small
      ? "Dashed: a model that knows nothing, and a table of letter pairs. Click a step to go to its moment."
      : "Point at the curve, or use the arrow keys in the picture, to read a step, and click to go to its moment.",
    follows: [live.run, live.progress, live.state, live.before],
    draw(width, f) {
      const { knobs, gpt, own, docs, bigram, letters: alone } = live.run.value;
      const { losses } = live;
      const other = live.before.value?.docs === docs ? live.before.value : null; // of the same data
      const prefix = sums(losses);
      const know = Math.log(gpt.vocab);
      const most = know + ABOVE;
      const least = own ? 0 : 1; // a few items can be learned by heart
      const end = Math.max(knobs.steps, other ? other.losses.length : 0, 1);
      const from = 2 * f;
      const to = width - (small ? 6.2 : 8) * f;
      const top = 0.9 * f;
      const bottom = Math.max(8 * f, Math.min(0.6 * width, tall * f, 0.45 * innerHeight));
      const x = (step) => from + (step / end) * (to - from);
      const y = (value) =>
        bottom - (Math.max(0, Math.min(value, most) - least) / (most - least)) * (bottom - top);
      const nodes = [];
      // A point for every step, or two for every column of pixels.
      const line = (values, totals, every) => {
        const stride = Math.max(1, Math.floor(values.length / (to - from)));
        const points = [];
        for (let first = 0; first < values.length; first += stride) {
          const last = Math.min(values.length, first + stride);
          if (every) {
            let low = Infinity;
            let high = -Infinity;
            for (let i = first; i < last; i++) {
              low = Math.min(low, values[i]);
              high = Math.max(high, values[i]);
            }
            points.push(`${x(last).toFixed(1)} ${y(high).toFixed(1)}`);
            if (low !== high) points.push(`${x(last).toFixed(1)} ${y(low).toFixed(1)}`);
          } else points.push(`${x(last).toFixed(1)} ${y(meanAt(totals, last)).toFixed(1)}`);
        }
        return points.length ? "M" + points.join("L") : "";
      };
      for (let value = least; value <= most; value++) {
        nodes.push(
          shape("path", {
            d: `M${from} ${y(value)}H${to}`,
            class: value > least ? "grid" : "axis",
          }),
        );
        nodes.push(text(from - 0.5 * f, y(value), String(value), "end middle muted small"));
      }
      nodes.push(text(from + 0.4 * f, top + 0.3 * f, "loss", "middle small muted halo"));
      const ticks = small ? 2 : 4;
      for (let i = 0; i <= ticks; i++) {
        nodes.push(
          text(
            x((end * i) / ticks),
            bottom + 1.1 * f,
            whole(Math.round((end * i) / ticks)),
            "center muted small",
          ),
        );
      }
      nodes.push(text(to + 2.6 * f, bottom + 1.1 * f, "steps", "muted small"));
      if (other)
        nodes.push(
          shape("path", { d: line(other.losses, sums(other.losses)), class: "recorded other" }),
        );
      nodes.push(
        shape("path", { d: line(losses, prefix, true), class: "each" }),
        shape("path", { d: line(losses, prefix), class: "mean" }),
      );
      const marks = [[know, `guess ${know.toFixed(2)}`, "muted"]];
      if (!small)
        marks.push([
          live.run.value.unigram,
          `letters ${live.run.value.unigram.toFixed(2)}`,
          "muted",
        ]);
      marks.push([bigram, `pairs ${bigram.toFixed(2)}`, "muted"]);
      if (losses.length) {
        const mean = meanAt(prefix, losses.length);
        const ended = live.moment.value === null ? "mean" : "end";
        const above = mean > most ? " ↑" : ""; // beyond the axis
        marks.push([mean, `${ended} ${mean.toFixed(2)}${above}`, "loss"]);
      }
      for (const [value, , kind] of marks) {
        if (kind === "muted")
          nodes.push(shape("path", { d: `M${from} ${y(value)}H${to}`, class: "level" }));
      }
      marks.sort((a, b) => b[0] - a[0]);
      let free = -Infinity; // labels keep a line's distance
      for (const [value, words, kind] of marks) {
        free = Math.max(free + 1.1 * f, y(value));
        nodes.push(text(to + 0.6 * f, free, words, `middle small ${kind}`));
      }
      const { step } = live.state.value;
      if (losses.length) {
        const part = live.moment.value !== null && step > 0;
        const said = time(step) + (part ? `: ${meanAt(prefix, step).toFixed(2)}` : "");
        const middle = Math.max(from + 2.5 * f, Math.min(x(step), to - 2 * f));
        nodes.push(
          shape("path", { d: `M${x(step)} ${top}V${bottom}`, class: "now-line" }),
          text(middle, top - 0.1 * f, said, "center small accent halo"),
        );
      }
      const tell = (row, at) =>
        row === 0 &&
        at >= 1 &&
        at <= losses.length && {
          text:
            `step ${whole(at)}, “${short(docs[(at - 1) % docs.length])}”: loss ${number(losses[at - 1])}, ` +
            `mean of the last ${Math.min(at, WINDOW)} ${number(meanAt(prefix, at))}`,
          box: [x(at) - 1, top, 2, bottom - top],
          part: "losses",
        };
      const step_ = (px) =>
        Math.max(1, Math.min(losses.length, Math.round(((px - from) / (to - from)) * end)));
      return {
        width,
        height: bottom + 1.7 * f,
        nodes,
        tell,
        start: [0, Math.max(1, step)],
        label: losses.length
          ? `The loss of ${steps(losses.length)} of ${whole(knobs.steps)}; mean of the last ${WINDOW}: ` +
            `${number(meanAt(prefix, losses.length), 2)}; a model that knows nothing: ${know.toFixed(2)}; ` +
            `a table of pairs: ${bigram.toFixed(2)}`
          : `The loss; the training of ${own ? `your ${alone.length} letters` : "the lecture's names"} has not begun`,
        at: (px) => (losses.length && px >= from - f && px <= to + f ? [0, step_(px)] : null),
        pick: (_, at) => live.goTo(at),
        grab: (px, py) =>
          px >= from && px <= to && py <= bottom + f ? (now) => live.goTo(step_(now)) : null,
      };
    },
    recorded,
  });
}

// A list of names, each on one line.
export function list(names) {
  const words = names.map((name) => short(name, 24) || "(silence)");
  return words.flatMap((word, i) => [i ? ", " : "", element("span", {}, word)]);
}

export function loss(figure) {
  const lengths = () => [100, 300, 1000, 3000, 10000];
  figure.append(controls(trainButton(), knob("steps", "for", lengths), paceBox(), momentSlider()));
  const [left, right] = twoSides(figure);
  lossPicture(left);
  const title = element("caption");
  const body = element("tbody");
  right.append(element("table", { class: "said" }, title, body));
  effect(() => {
    const { id, letters, knobs } = live.run.value;
    const heat = live.temperature.value;
    const { step: now } = live.state.value;
    const all = [...live.marks.value].filter(([, numbers]) => numbers).sort((a, b) => a[0] - b[0]);
    title.textContent = `names that it would make up, at temperature ${heat.toFixed(2)}`;
    while (body.rows.length > all.length) body.lastChild.remove();
    while (body.rows.length < all.length) {
      const row = element("tr", {}, element("th", { scope: "row" }), element("td"));
      body.append(row);
    }
    all.forEach(([step, numbers], i) => {
      const row = body.rows[i];
      const key = `${id} ${step} ${heat}`;
      if (row.dataset.key !== key) {
        row.dataset.key = key;
        row.firstChild.replaceChildren(
          button(step === 0 ? "untrained" : steps(step), () => live.goTo(step)),
        );
        row.lastChild.textContent = "…";
        live.says({ knobs, letters, numbers }, heat, (names) => {
          if (row.dataset.key === key) row.lastChild.replaceChildren(...list(names));
        });
      }
      row.className = step === now ? "now" : "";
      row.querySelector("button").setAttribute("aria-pressed", String(step === now));
    });
  });
  const what = element("p", { class: "what", role: "status" });
  effect(() => {
    const { own, docs, letters, recorded } = live.run.value;
    const { running, step, seconds, diverged } = live.progress.value;
    const learns = own
      ? `It learns from your ${whole(docs.length)} items with ${whole(letters.length)} letters. `
      : "";
    const rests = recorded
      ? "This is the lecture's own run, as it was recorded. Train again to see it happen."
      : diverged
        ? live.divergence()
        : running || !step
          ? ""
          : `${steps(step)} took ${seconds.toFixed(2)} s of work in this page.`;
    what.textContent = learns + rests;
  });
  left.append(what);
  right.append(
    caption(
      "Thin, the loss of every step; thick, the mean of the last 100; grey, the run before, to compare with. The lines: a " +
        "model that knows nothing, a table of letters, a table of pairs. Both tables have counted all these names beforehand; " +
        "one that learns along, name by name, does a little worse. Click a step to go " +
        "to its moment. The page's dice are its own: its names differ from those that the file prints.",
    ),
  );
}
