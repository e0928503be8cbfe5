// Section 10: the letters by two principal components of their embeddings. The axes are those of the end of the
// training, and they stay where they are while time moves.

import { computed } from "@preact/signals-core";
import { marks, recorded, run, state } from "../model/live.js";
import { principal, project } from "../model/principal.js";
import { caption, controls, momentSlider, trainButton, twoSides } from "./controls.js";
import { element, label, number, percent, shape, text, time, whole } from "./draw.js";
import { Picture } from "./picture.js";
import { effect } from "@preact/signals-core";

const MOST = 80; // letters of a large alphabet that are drawn
const VOWELS = "aeiouαεηιουωаеиоуыэюяі";
const isVowel = (letter) =>
  letter !== "й" && VOWELS.includes(Array.from(letter.toLowerCase().normalize("NFD"))[0]);

export function map(figure) {
  figure.append(controls(trainButton(), momentSlider()));
  // Of many letters, the most frequent.
  const drawn = computed(() => {
    const { letters, docs } = run.value;
    const all = letters.map((_, token) => token);
    if (all.length <= MOST) return all;
    const counts = new Map();
    for (const doc of docs)
      for (const letter of doc) counts.set(letter, (counts.get(letter) || 0) + 1);
    all.sort((a, b) => counts.get(letters[b]) - counts.get(letters[a]) || a - b);
    return all.slice(0, MOST);
  });
  const rowsOf = (numbers) => {
    const n = run.value.gpt.width;
    return drawn.value.map((token) => numbers.subarray(token * n, (token + 1) * n));
  };
  // The axes of the lecture's own trained model, if this run has its shape; else those of the latest numbers known,
  // turned so that they do not mirror the ones before.
  let axes = null;
  let of = null;
  function frame() {
    const { id, own, gpt, knobs } = run.value;
    const lectures =
      !own && gpt.width === recorded.knobs.width && knobs.seed === recorded.knobs.seed;
    const latest = lectures ? recorded.trained : [...marks.value.values()].filter(Boolean).pop();
    const numbers =
      lectures || !latest || state.value.step > Math.max(...marks.value.keys())
        ? lectures
          ? latest
          : state.value.numbers
        : latest;
    if (axes && of === id && (lectures || axes.from === numbers)) return axes;
    const found = principal(rowsOf(numbers), gpt.width);
    if (axes && of === id) {
      found.axes.forEach((axis, i) => {
        const along = axis.reduce((sum, value, j) => sum + value * axes.axes[i][j], 0);
        if (along < 0) found.axes[i] = axis.map((value) => -value);
      });
    }
    const places = project(rowsOf(numbers), found);
    const reach = Math.max(0.5, ...places.flat().map(Math.abs));
    axes = {
      ...found,
      from: numbers,
      reach: of === id && axes ? Math.max(reach, axes.reach) : reach,
    };
    of = id;
    return axes;
  }
  const [left, right] = twoSides(figure);
  new Picture(left, {
    beside: right,
    name: "map",
    hint: "Point at a letter, or use the arrow keys in the picture, to see what is near it.",
    follows: [run, state, marks],
    draw(width, f) {
      const { letters, gpt } = run.value;
      const tokens = drawn.value;
      const { step, numbers } = state.value;
      const rows = rowsOf(numbers);
      const fixed = frame();
      const places = project(rows, fixed);
      width = Math.min(width, 34 * f);
      const high = Math.min(0.72 * width, 22 * f, 0.6 * innerHeight);
      const margin = 1.4 * f;
      const scale = (Math.min(width, high * 1.3) / 2 - margin) / fixed.reach;
      const x = (p) => width / 2 + (p[0] || 0) * scale;
      const y = (p) => high / 2 - (p[1] || 0) * scale * Math.min(1, high / width / 0.7);
      const dots = places.map((p) => [x(p), y(p)]);
      const nodes = [
        shape("path", { d: `M${x([0])} 0V${high}M0 ${y([0, 0])}H${width}`, class: "grid" }),
      ];
      const size = 0.95 * f;
      const spots = [];
      const around = []; // where a label may stand: near first, then farther
      for (const far of [0.75, 1.1, 1.6, 2.2, 3, 4, 5, 6]) {
        for (let i = 0; i < 12; i++) {
          const angle = (i * Math.PI) / 6;
          around.push([far * f * Math.cos(angle), far * f * Math.sin(angle), far]);
        }
      }
      dots.forEach(([dx, dy], i) => {
        let best;
        let least = Infinity;
        for (const [ax, ay, far] of around) {
          const [px, py] = [dx + ax, dy + ay];
          let cost = far * 0.05;
          for (const [sx, sy] of spots) {
            cost += 4 * Math.max(0, 1.3 - Math.hypot(px - sx, py - sy) / size);
          }
          dots.forEach(([ox, oy], j) => {
            if (i !== j) cost += Math.max(0, 0.8 * f - Math.hypot(px - ox, py - oy)) / f;
          });
          if (px < size / 2 || px > width - size / 2 || py < size / 2 || py > high - size / 2)
            cost += 5;
          if (cost < least) [least, best] = [cost, [px, py, far]];
        }
        spots.push(best);
      });
      tokens.forEach((token, i) => {
        const vowel = isVowel(letters[token]);
        const [[dx, dy], [px, py, far]] = [dots[i], spots[i]];
        if (far > 0.8) {
          const d = `M${dx} ${dy}L${dx + (px - dx) * 0.6} ${dy + (py - dy) * 0.6}`;
          nodes.push(shape("path", { d, class: "leader" }));
        }
        nodes.push(
          text(px, py, label(token), `mono center middle halo ${vowel ? "accent strong" : ""}`),
        );
      });
      tokens.forEach((token, i) => {
        const kind = isVowel(letters[token]) ? "dot vowel" : "dot";
        nodes.push(shape("circle", { cx: dots[i][0], cy: dots[i][1], r: 0.2 * f, class: kind }));
      });
      const distance = (a, b) =>
        Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0));
      const near = (i) =>
        tokens
          .map((_, j) => j)
          .filter((j) => j !== i)
          .map((j) => [distance(rows[i], rows[j]), j])
          .sort((a, b) => a[0] - b[0])
          .slice(0, 4)
          .map(([d, j]) => `${label(tokens[j])} ${d.toFixed(2)}`);
      const tell = (row, i) =>
        row === 0 &&
        tokens[i] !== undefined && {
          text:
            `${label(tokens[i])} at (${number(places[i][0] || 0, 2)}, ${number(places[i][1] || 0, 2)})` +
            (tokens.length > 1
              ? `; nearest in all ${gpt.width} numbers: ${near(i).join(", ")}`
              : ""),
          box: [spots[i][0] - 0.6 * f, spots[i][1] - 0.65 * f, 1.2 * f, 1.3 * f],
          part: "where",
        };
      const [one, two] = fixed.shares;
      return {
        width,
        height: high,
        nodes,
        tell,
        label: `Map of ${tokens.length} letters by two principal components of their embeddings, ${time(step)}`,
        rest:
          `At the end, ${percent(one)} of the spread lies along the map and ${percent(two || 0)} across it. Half its width is ` +
          `${number(fixed.reach, 1)}, at every moment.` +
          (tokens.length < letters.length
            ? ` The ${tokens.length} most frequent of ${whole(letters.length)} letters are drawn.`
            : ""),
        at: (px, py) => {
          let best = null;
          let least = 1.5 * f;
          spots.forEach(([sx, sy], i) => {
            const d = Math.min(
              Math.hypot(px - sx, py - sy),
              Math.hypot(px - dots[i][0], py - dots[i][1]),
            );
            if (d < least) [least, best] = [d, [0, i]];
          });
          return best;
        },
      };
    },
  });
  const vowels = element("p", { class: "more" });
  right.append(
    caption(
      "The letters by two principal components of their embeddings, the rows of token: the two directions in which they " +
        "differ most at the end of the training. The axes stay while time moves, so that you see them part.",
    ),
    vowels,
  );
  effect(() => {
    const found = drawn.value.filter((token) => isVowel(run.value.letters[token])).map(label);
    vowels.textContent = found.length
      ? `Vowels are green, their dots filled: ${found.join(" ")}.`
      : "";
  });
}
