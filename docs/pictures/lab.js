// The first screen: type a name, train, let the model speak letter by letter, with the odds of what comes next.

import { effect } from "@preact/signals-core";
import { dice } from "../model/chance.js";
import { pick } from "../model/gpt.js";
import { softmax } from "../model/layers.js";
import * as live from "../model/live.js";
import {
  button,
  controls,
  momentSlider,
  nameField,
  paceBox,
  temperatureSlider,
  trainButton,
} from "./controls.js";
import { called, element, label, percent, shape, short, text, time, whole } from "./draw.js";
import { list, lossPicture } from "./loss.js";
import { shown } from "./odds.js";
import { Picture } from "./picture.js";

const PAUSE = 420; // milliseconds between two letters
const OFTEN = 400; // milliseconds between two looks at the names while it trains
const MANY = 4; // names that are shown
const still = matchMedia("(prefers-reduced-motion: reduce)");

// Names that it makes up at the moment that is shown, a few times a second while it trains.
export function makesUp() {
  const makes = element("p", { class: "makes" });
  let asked = 0;
  effect(() => {
    const { knobs, letters } = live.run.value;
    const { numbers } = live.state.value;
    const heat = live.temperature.value;
    if (live.working.value && performance.now() - asked < OFTEN) return;
    asked = performance.now();
    live.says({ knobs, letters, numbers }, heat, (names) => {
      if (!live.working.value && numbers !== live.state.value.numbers) return;
      makes.replaceChildren("It makes up: ", ...list(names.slice(0, MANY)));
    });
  });
  return makes;
}

export function lab(figure) {
  let drawn = null; // the token that was drawn last, while it speaks
  let timer = 0;
  let given = ""; // what it went on from
  const roll = { of: null, chance: null };
  const spoken = element("p", { class: "speech", "aria-live": "polite" });
  const speak = button("Speak", () => (timer ? hush() : begin()), {
    class: "speak",
    "aria-keyshortcuts": "v",
  });

  const probs = () => {
    const { T, made } = live.typed.value;
    const { vocab } = live.run.value.gpt;
    return softmax(made.logits.subarray((T - 1) * vocab, T * vocab), vocab, live.temperature.value);
  };
  function begin() {
    if (roll.of !== live.run.value.id) {
      roll.of = live.run.value.id;
      roll.chance = dice(live.run.value.knobs.seed + 1000);
    }
    live.place.value = null;
    given = live.name.value; // it goes on with what was typed, again and again
    speak.textContent = "Stop";
    timer = setTimeout(say, still.matches ? 0 : PAUSE);
  }
  // First the letter that is drawn lights up among the odds, then it goes into the name.
  function say() {
    const { gpt, letters } = live.run.value;
    const full = live.typed.value.T > gpt.block || [...live.name.value].length >= gpt.block;
    const token = full ? gpt.BOS : pick(probs(), roll.chance);
    drawn = token;
    odds.dirty();
    const then = () => {
      drawn = null;
      if (token === gpt.BOS) {
        done(given);
        if (live.name.value.startsWith(given)) live.name.value = given; // unless it was typed over
        return;
      }
      live.name.value += letters[token];
      timer = setTimeout(say, still.matches ? 0 : PAUSE / 2);
    };
    timer = setTimeout(then, still.matches ? 0 : PAUSE);
  }
  // from: what was there before the model spoke
  function done(from = "") {
    const { name } = live.typed.value; // without letters that it does not know
    const press = () => {
      live.name.value = name;
    };
    const read = name.startsWith(from) ? from : "";
    const made = name
      ? button(short(read), press, { class: "name", title: "read this name" })
      : element("span", {}, "(silence)");
    if (name) made.append(element("b", {}, short(name.slice(read.length))));
    spoken.querySelector(".hint")?.remove();
    spoken.prepend(made);
    while (spoken.children.length > 8) spoken.lastChild.remove();
    hush();
  }
  function hush() {
    clearTimeout(timer);
    timer = 0;
    drawn = null;
    speak.textContent = "Speak";
    odds.dirty();
  }
  effect(() => {
    void live.run.value.id;
    const words = "Type a name and press Speak: it goes on, letter by letter.";
    spoken.replaceChildren(element("span", { class: "hint" }, words));
  });

  const told = element("p", { class: "lead" });
  effect(() => {
    const { gpt, own } = live.run.value;
    const { step } = live.state.value;
    const what = own ? "items like yours" : "names";
    const when = live.working.value ? "in training" : time(step);
    told.textContent = `A GPT that makes up ${what}, letter by letter: ${whole(gpt.count)} numbers, ${when}.`;
  });
  const [name, note] = nameField();
  name.classList.add("large");
  name.querySelector("input").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && !timer) begin();
  });
  const next = element("div");
  const losses = element("div");
  const above = controls(name, speak, note);
  const speaks = element("div", {}, above, spoken, controls(temperatureSlider()), next);
  const steps = controls(trainButton(), paceBox());
  const trains = element("div", {}, steps, controls(momentSlider()), makesUp(), losses);
  figure.append(told, element("div", { class: "bench" }, speaks, trains));
  const odds = new Picture(next, {
    name: "next",
    hint: "Click a bar to go on with its letter; · ends the name.",
    follows: [live.name, live.run, live.state, live.temperature],
    draw(width, f) {
      const { tokens, T, name: read, step } = live.typed.value;
      const { vocab, BOS } = live.run.value.gpt;
      const p = probs();
      const columns = shown(p, vocab, drawn === null ? [] : [drawn]);
      const bar = Math.min(2 * f, (width - 3.4 * f) / columns.length);
      const from = 3.2 * f;
      const top = 1.8 * f;
      const high = Math.max(7 * f, Math.min(14 * f, 0.3 * innerHeight));
      const bottom = top + high;
      const size = Math.min(0.95 * f, 1.2 * bar);
      const nodes = [];
      for (const share of [0, 0.5, 1]) {
        const y = bottom - share * high;
        nodes.push(
          shape("path", {
            d: `M${from} ${y}h${bar * columns.length}`,
            class: share ? "grid" : "axis",
          }),
        );
        nodes.push(text(from - 0.4 * f, y, `${100 * share} %`, "end middle muted small"));
      }
      nodes.push(
        text(
          from,
          0.9 * f,
          `after ${read ? `“${short(read, width < 28 * f ? 8 : 16)}”` : "BOS"} comes, at temperature ${live.temperature.value.toFixed(2)}`,
          "small",
        ),
      );
      columns.forEach((token, i) => {
        const h = p[token] * high;
        const x = from + i * bar;
        const kind = token === drawn ? "odds-bar next" : "odds-bar";
        const d = `M${x + 0.12 * bar} ${bottom}v${-h}h${0.76 * bar}V${bottom}z`;
        nodes.push(shape("path", { d, class: kind, "data-part": "probs" }));
        nodes.push(text(x + bar / 2, bottom + 1.1 * f, label(token), "mono center", size));
      });
      const tell = (row, i) =>
        row === 0 &&
        columns[i] !== undefined && {
          text:
            `${called(columns[i])}: ${percent(p[columns[i]])}` +
            (columns[i] === BOS
              ? ", the name is over."
              : T < tokens.length
                ? ". Click to go on with it."
                : "."),
          box: [from + i * bar, top, bar, high],
          part: "probs",
        };
      return {
        width,
        height: bottom + 1.8 * f,
        nodes,
        tell,
        label: `Probabilities of the token after ${read || "BOS"}, ${time(step)}, at temperature ${live.temperature.value.toFixed(2)}`,
        at: (x) =>
          tell(0, Math.floor((x - from) / bar)) ? [0, Math.floor((x - from) / bar)] : null,
        pick: (_, i) => {
          if (columns[i] === BOS) done();
          else live.name.value = read + live.run.value.letters[columns[i]];
        },
      };
    },
  });
  lossPicture(losses, { tall: 11, small: true });
  return { speak: () => speak.click() };
}
