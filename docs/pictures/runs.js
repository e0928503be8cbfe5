// Section 9: two runs side by side: change a knob, train, and compare losses and names.

import { computed, effect } from "@preact/signals-core";
import * as live from "../model/live.js";
import { button, caption, controls, knob, trainButton } from "./controls.js";
import { element, number, steps, time, whole } from "./draw.js";
import { list, meanAt, sums } from "./loss.js";

const KNOBS = {
  layers: ["layers", () => [1, 2, 3]],
  width: ["width", () => [4, 8, 16, 32]],
  heads: ["heads", () => [1, 2, 4].filter((n) => live.plan.value.width % n === 0)],
  rate: ["rate", () => [0.001, 0.003, 0.01, 0.03, 0.1]],
  seed: ["seed", () => [1, 2, 3, 42]],
  steps: ["for", () => [100, 300, 1000, 3000, 10000]],
};

const inWords = (losses, planned) => `${steps(losses.length)} of ${whole(planned)}`;
const recent = (losses) => (losses.length ? number(meanAt(sums(losses), losses.length)) : "–");

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
    status.textContent = live.progress.value.diverged
      ? live.divergence()
      : live.stale.value
        ? "The settings have changed. Train again to see what they do; the present run stays, to compare with."
        : "";
    keep.disabled = !live.progress.value.step || live.working.value;
    drop.hidden = !live.before.value?.kept;
  });
  // The numbers of the present run at the moment that is shown, while it rests.
  const resting = computed(() => (live.working.value ? null : live.state.value.numbers));
  const count = element("span");
  const average = element("span");
  const table = element("table", { class: "runs" });
  figure.append(table);
  effect(() => {
    const { knobs } = live.run.value;
    const now = { ...live.run.value, numbers: resting.value };
    const heat = live.temperature.value;
    const both = [
      ["this run", now],
      ["the run before", live.before.value],
    ].filter(([, each]) => each);
    const row = (title, cell, changed) =>
      element(
        "tr",
        changed ? { class: "changed" } : {},
        element("th", { scope: "row" }, title),
        ...both.map(([, each]) => element("td", {}, cell(each))),
      );
    const differs = (key) => both.length > 1 && both[1][1].knobs[key] !== knobs[key];
    // What this run has learned changes all the while; what it says is worked out when it rests.
    const learned = (each) => (each === now ? count : inWords(each.losses, each.knobs.steps));
    const mean = (each) => (each === now ? average : recent(each.losses));
    const names = (each) => {
      const place = element("span", {}, "…");
      const when = each === now && live.moment.value !== null ? `${time(live.moment.value)}: ` : "";
      if (each.numbers) live.says(each, heat, (said) => place.replaceChildren(when, ...list(said)));
      return place;
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
        ...["layers", "width", "heads", "rate", "seed"].map((key) =>
          row(key, (each) => String(each.knobs[key]), differs(key)),
        ),
        row("parameters", ({ gpt }) => whole(gpt.count)),
        row("has learned", learned),
        row("mean of the last 100 losses", mean),
        row("says", names),
      ),
    );
  });
  effect(() => {
    void live.progress.value;
    count.textContent = inWords(live.losses, live.run.value.knobs.steps);
    average.textContent = recent(live.losses);
  });
  figure.append(
    caption(
      "Two runs side by side. The loss of the run before is grey in the picture of the loss. Nothing that was learned is " +
        "lost by a new training: the last run takes the right place, unless you keep another one there.",
    ),
  );
}
