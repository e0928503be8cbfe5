// Section 12: the two engines race on the same names, in the worker: how many does each finish?

import { effect } from "@preact/signals-core";
import { RACE, race as begin, run } from "../model/live.js";
import { button, caption, controls } from "./controls.js";
import { number, shape, text, whole } from "./draw.js";
import { Picture } from "./picture.js";

export function race(figure) {
  let result = { autograd: 0, explicit: 0, seconds: 0, going: false };
  const start = button("Race", () => {
    begin((news) => {
      result = news;
      start.disabled = news.going;
      picture.dirty();
    });
  });
  figure.append(controls(start));
  const picture = new Picture(figure, {
    name: "race",
    hint: "Press Race: both engines take the names in the same order, by turns, each for the same time.",
    draw(width, f) {
      width = Math.min(width, 44 * f);
      const from = 6 * f;
      const to = width - 5 * f;
      const nodes = [];
      // The full length is what the faster engine will have done in the end.
      const part = result.going ? Math.max(0.02, Math.min(1, result.seconds / RACE)) : 1;
      const most = Math.max(result.explicit, result.autograd, 1) / part;
      ["autograd", "explicit"].forEach((engine, i) => {
        const y = 1.2 * f + i * 2.4 * f;
        const length = (result[engine] / most) * (to - from);
        nodes.push(
          text(from - 0.6 * f, y + 0.7 * f, engine, "end middle"),
          shape("rect", {
            x: from,
            y,
            width: Math.max(1, length),
            height: 1.4 * f,
            class: "cell above",
            "fill-opacity": 0.8,
          }),
          text(from + length + 0.5 * f, y + 0.7 * f, whole(result[engine]), "middle mono"),
        );
      });
      const { autograd, explicit, seconds, going } = result;
      const times = autograd ? number(explicit / autograd, 1) : "";
      return {
        width,
        height: 6.2 * f,
        nodes,
        label: `The race: autograd has finished ${autograd} names, explicit ${explicit}`,
        rest: !seconds
          ? ""
          : `In ${number(seconds, 1)} s each: autograd ${whole(autograd)} names, explicit ${whole(explicit)}` +
            `${times ? `, ${times} times as many` : ""}${going ? " …" : ". In JavaScript, on this machine, now."}`,
      };
    },
  });
  effect(() => {
    void run.value;
    result = { autograd: 0, explicit: 0, seconds: 0, going: false };
    picture.dirty();
  });
  figure.append(
    caption(
      "Both engines compute the loss and all gradients of the same names. Autograd makes a Value of every result, explicit " +
        "does only the arithmetic. The bars grow with the names that are done; the ratio is that of this page and machine.",
    ),
  );
}
