// Section 9: two runs side by side: change a knob, train, and compare losses and names.

import { effect } from "@preact/signals-core";
import * as live from "../model/live.js";
import { button, caption, controls, knob, trainButton } from "./controls.js";
import { element, number, short, steps, whole } from "./draw.js";
import { meanAt, sums } from "./loss.js";

const KNOBS = {
  layers: ["layers", () => [1, 2, 3]],
  width: ["width", () => [4, 8, 16, 32]],
  heads: ["heads", () => [1, 2, 4].filter((n) => live.plan.value.width % n === 0)],
  rate: ["rate", () => [0.001, 0.003, 0.01, 0.03, 0.1]],
  seed: ["seed", () => [1, 2, 3, 42]],
  steps: ["for", () => [100, 300, 1000, 3000, 10000]],
};

export function runs(figure) {
  const status = element("p", { class: "what", role: "status" });
  const keep = button("Keep this run to compare with", () => {
    live.before.value = live.remember(true);
  });
  const drop = button("Compare with the last run again", () => {
    live.before.value = { ...live.before.value, kept: false };
  });
  const all = Object.entries(KNOBS).map(([name, [words, choices]]) => knob(name, words, choices));
  figure.append(controls(all), controls(trainButton(), keep, drop), status);
  effect(() => {
    const { width, heads } = live.plan.value;
    if (width % heads) live.plan.value = { ...live.plan.value, heads: 1 };
    status.textContent = live.stale.value
      ? "The settings have changed. Train anew to see what they do; the present run stays, to compare with."
      : "";
    keep.disabled = !live.progress.value.step || live.progress.value.running;
    drop.hidden = !live.before.value?.kept;
  });
  const table = element("table", { class: "runs" });
  figure.append(table);
  effect(() => {
    const { running } = live.progress.value;
    const numbers = running ? null : live.state.value.numbers;
    const now = { ...live.run.value, losses: live.losses, numbers };
    const heat = live.temperature.value;
    const both = [
      ["this run", now],
      ["the run before", live.before.value],
    ].filter(([, each]) => each);
    const row = (title, cell) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, title),
        ...both.map(([, each]) => element("td", {}, cell(each))),
      );
    const mean = ({ losses }) =>
      losses.length ? number(meanAt(sums(losses), losses.length)) : "–";
    // What this run says is worked out when it rests: a page that is busy cannot be scrolled.
    const names = (each) =>
      each === now && running
        ? "…"
        : live
            .names(each.gpt, each.letters, each.numbers, heat, each.knobs.seed)
            .map((name) => short(name, 24) || "(silence)")
            .join(", ");
    const changed = (key) => both.length > 1 && both[0][1].knobs[key] !== both[1][1].knobs[key];
    const knobRow = (key) => {
      const made = row(key, ({ knobs }) => String(knobs[key]));
      if (changed(key)) made.className = "changed";
      return made;
    };
    const corner = element("td");
    table.replaceChildren(
      element(
        "thead",
        {},
        element("tr", {}, corner, ...both.map(([title]) => element("th", { scope: "col" }, title))),
      ),
      element(
        "tbody",
        {},
        row("learns from", ({ own, docs }) =>
          own ? `your ${whole(docs.length)} items` : "the lecture's names",
        ),
        ...["layers", "width", "heads", "rate", "seed"].map(knobRow),
        row("parameters", ({ gpt }) => whole(gpt.count)),
        row(
          "has learned",
          ({ losses, knobs }) => `${steps(losses.length)} of ${whole(knobs.steps)}`,
        ),
        row("mean of the last 100 losses", mean),
        row("says", names),
      ),
    );
  });
  figure.append(
    caption(
      "Two runs side by side. The loss of the run before is grey in the picture of the loss. Nothing that was learned is " +
        "lost by a new training: the last run takes the right place, unless you keep another one there.",
    ),
  );
}
