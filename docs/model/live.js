// The live model, as the page sees it. Everything that can change is a signal; what follows from it is computed. The
// training itself runs in the worker.

import { batch, computed, effect, signal, untracked } from "@preact/signals-core";
import workerSource from "worker-source";
import { dice, gauss } from "./chance.js";
import { bigram, unigram } from "./counts.js";
import { GPT } from "./gpt.js";
import { softmax } from "./layers.js";
import { encoder, read } from "./text.js";

export const SHOWN = [0, 10, 30, 100, 300, 1000, 3000, 10000]; // steps whose names are listed
export const RACE = 3; // seconds for each engine
export const WATCH = 8; // seconds for a whole training, at the pace at which one sees it learn
const SHAPE = ["layers", "width", "heads", "block", "seed"]; // the knobs that make the untrained numbers

export const recorded = {}; // what build.py recorded of the lecture's own run
export const plan = signal({}); // the knobs of the next training
export const text = signal(null); // own data, { docs, letters }; null: the lecture's names
export const run = signal(null); // the present run: its knobs, names, model, untrained numbers
export const progress = signal({ step: 0, running: false, seconds: 0 }); // of the present run
export const working = computed(() => progress.value.running);
export const fast = signal(false);
export const moment = signal(null); // the step that is shown; null: the latest, also as training goes on
export const state = signal(null); // { step, numbers } of the moment that is shown
export const marks = signal(new Map()); // step -> numbers, for the steps in SHOWN
export const before = signal(null); // the run to compare with
export const name = signal("");
export const place = signal(null); // which of its tokens is singled out; null: none
export const temperature = signal(0.5);
export const GREETING = "ale"; // what is typed on arrival: a name to go on with
export let losses = []; // of the present run; progress tells when they change

// ---- The worker, and what it is asked ----

let worker;
let asked = 0;
const waiting = new Map(); // ask -> what to do with the answer

function ask(question, answer) {
  asked++;
  waiting.set(asked, answer);
  worker.postMessage({ ...question, ask: asked });
}

function heard({ data }) {
  if (data.id !== run.value.id) return; // of a run that is over
  if ("ask" in data) {
    const answer = waiting.get(data.ask);
    if (!data.race?.going) waiting.delete(data.ask);
    answer(data.state ?? data.trace ?? data.race ?? data.names);
    return;
  }
  for (const loss of data.losses) losses.push(loss);
  batch(() => {
    if (moment.value === null) state.value = { step: data.step, numbers: data.numbers };
    const { step, running, seconds, diverged } = data;
    progress.value = { step, running, seconds, diverged };
    askForMarks();
  });
}

function askForMarks() {
  const { step } = progress.value;
  const { id } = run.value;
  for (const at of SHOWN.filter((mark) => mark <= step && !marks.value.has(mark))) {
    marks.value.set(at, null); // asked for
    ask({ at }, ({ numbers }) => {
      if (id === run.value.id) marks.value = new Map(marks.value).set(at, numbers);
    });
  }
}

// Show the numbers as they were after this step. While an answer is awaited, only the last wish counts.
let wish = null;
let busy = false;
export function goTo(step) {
  const { step: last } = progress.value;
  const at = Math.max(0, Math.min(last, Math.round(step)));
  wish = at;
  if (!busy) look();
}
function look() {
  if (wish === null) return;
  const at = wish;
  const { id } = run.value;
  wish = null;
  busy = true;
  ask({ at }, (found) => {
    busy = false;
    if (id === run.value.id) {
      batch(() => {
        const { step, running } = progress.value;
        moment.value = at === step && !running ? null : at;
        state.value = found;
      });
    }
    look();
  });
}

// What happened to one parameter in every step of the present run.
export function trace(parameter, answer) {
  const { id } = run.value;
  ask({ trace: parameter, steps: progress.value.step }, (found) => {
    if (id === run.value.id) answer(found);
  });
}

// Names that a model would make up, always with the same dice. The answer comes at once if they have been asked for before.
const said = new WeakMap(); // numbers -> a Map from temperature to names
export function says({ knobs, letters, numbers }, heat, answer) {
  if (!said.has(numbers)) said.set(numbers, new Map());
  const known = said.get(numbers);
  if (known.has(heat)) return answer(known.get(heat));
  ask({ say: { knobs, letters, numbers, heat } }, (names) => {
    known.set(heat, names);
    answer(names);
  });
}

// The two engines on the same names, for so many seconds each.
export function race(answer) {
  ask({ race: RACE }, answer);
}

// ---- Runs ----

function same(knobs, keys) {
  return keys.every((key) => knobs[key] === recorded.knobs[key]);
}

function makeRun(knobs, own) {
  const { docs, letters } = own || recorded;
  const gpt = new GPT(knobs, letters.length + 1);
  const chance = dice(knobs.seed);
  const random = () => 0.08 * gauss(chance);
  const untrained =
    !own && same(knobs, SHAPE)
      ? recorded.untrained
      : Float64Array.from({ length: gpt.count }, random);
  const tokensOf = encoder(letters, knobs.block);
  const table =
    !own && knobs.block === recorded.knobs.block
      ? recorded.bigram
      : bigram(docs, tokensOf, knobs.block, gpt.vocab);
  const last = run.value;
  const id = (last?.id ?? 0) + 1;
  const letterTable =
    last && last.docs === docs && last.knobs.block === knobs.block
      ? last.unigram
      : unigram(docs, tokensOf, knobs.block, gpt.vocab);
  const counts = { bigram: table, unigram: letterTable };
  return { id, knobs, own, docs, letters, gpt, tokensOf, untrained, ...counts };
}

// Begin a new run. What the last one has learned stays, as the run to compare with.
export function begin(own = text.value) {
  batch(() => {
    const last = run.value;
    if (last && losses.length && !before.value?.kept) before.value = remember(false);
    text.value = own;
    const made = makeRun(plan.value, own);
    waiting.clear();
    busy = false;
    wish = null;
    losses = [];
    run.value = made;
    moment.value = null;
    state.value = { step: 0, numbers: made.untrained };
    marks.value = new Map();
    progress.value = { step: 0, running: false, seconds: 0 };
    if (!last || last.docs !== made.docs) name.value = made.own ? made.docs[0] : GREETING;
    place.value = null;
    const { id, knobs, letters, docs, untrained } = made;
    worker.postMessage({ begin: id, knobs, letters, docs, untrained });
    askForMarks();
  });
}

// The present run as one to compare with. kept: by the reader's wish, so that no later run takes its place.
export function remember(kept) {
  const { knobs, own, gpt, letters, docs } = run.value;
  const numbers = untracked(() => (moment.value === null ? state.value.numbers : latest));
  return { knobs, own, gpt, letters, docs, numbers, losses: losses.slice(), kept };
}
let latest; // the numbers after the last step, whatever moment is shown
effect(() => {
  if (state.value && moment.value === null) latest = state.value.numbers;
});

export const stale = computed(() => {
  const { knobs, own } = run.value;
  return own !== text.value || Object.keys(knobs).some((key) => knobs[key] !== plan.value[key]);
});

// Is there nothing to go on with?
export const ended = computed(() => {
  const { step, diverged } = progress.value;
  const { recorded: old, knobs } = run.value;
  return stale.value || old || diverged || step >= knobs.steps;
});
export const divergence = () => {
  const { rate } = run.value.knobs;
  const { step } = progress.value;
  return `The training diverged after step ${step}: the rate ${rate} is too high for it.`;
};

export function toggle() {
  const { running } = progress.value;
  if (running) return worker.postMessage({ pause: true });
  batch(() => {
    if (ended.value) begin();
    moment.value = null;
    progress.value = { ...progress.value, running: true }; // the worker will say so
  });
  worker.postMessage({ run: paceOf() });
}
const paceOf = () => (fast.value ? 0 : run.value.knobs.steps / WATCH);

export function learn(words) {
  const found = read(words, plan.value.seed);
  if (!found.problem) {
    begin(found);
    toggle();
  }
  return found.problem;
}

// ---- What follows ----

// What the model makes of the typed name. Letters that it does not have are left out, and said so.
export const typed = computed(() => {
  const { gpt, letters, tokensOf } = run.value;
  const { block, vocab, BOS } = gpt;
  const kept = [];
  const missing = new Set();
  for (const letter of name.value) {
    if (kept.length >= block) break;
    const known = [letter, letter.toLowerCase()].find((other) => letters.includes(other));
    if (known) kept.push(known);
    else missing.add(letter);
  }
  const tokens = tokensOf(kept);
  const T = Math.min(block, tokens.length - 1);
  const { step, numbers } = state.value;
  const made = gpt.forward(numbers, tokens.slice(0, T));
  const probs = softmax(made.logits, vocab);
  const read_ = tokens.slice(1, T + 1).filter((token) => token !== BOS);
  const words = read_.map((token) => letters[token]).join("");
  const cut = kept.length >= block;
  return { step, numbers, tokens, T, made, probs, missing: [...missing], cut, name: words };
});

// The token that is looked at: the one singled out, or the last that predicts.
export const looked = computed(() => {
  const { T } = typed.value;
  return place.value === null ? T - 1 : Math.min(place.value, T - 1);
});

// ---- Arrival: the lecture's own run, already trained ----

export function arrive(data) {
  const floats = (packed) =>
    new Float64Array(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)).buffer);
  Object.assign(recorded, data, {
    docs: data.docs.split("\n"),
    untrained: floats(data.untrained),
    trained: floats(data.trained),
  });
  worker = new Worker(URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" })));
  worker.onmessage = heard;
  temperature.value = data.knobs.temperature;
  recall();
  effect(() => {
    const pace = fast.value;
    if (untracked(() => working.value)) worker.postMessage({ run: pace ? 0 : paceOf() });
  });
}

// The lecture's own run, as it was recorded.
export function recall() {
  plan.value = { ...recorded.knobs };
  begin(null);
  batch(() => {
    losses = recorded.losses.slice();
    run.value = { ...run.value, recorded: true };
    const { steps } = recorded.knobs;
    progress.value = { step: steps, running: false, seconds: 0 };
    state.value = { step: steps, numbers: recorded.trained };
    marks.value = new Map([
      [0, recorded.untrained],
      [steps, recorded.trained],
    ]);
    askForMarks();
  });
}
