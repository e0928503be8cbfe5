// The worker: it trains, off the page's thread, and answers what the numbers were after any step.
//
//   { begin: id, knobs, letters, docs, untrained }           a new run
//   { run: steps per second, or 0 for as fast as it can }, { pause: true }
//   { at: step, ask }                                        answered by { id, ask, state }
//   { trace: parameter, steps, ask }                         answered by { id, ask, trace }, a record for each step
//   { say: { knobs, letters, numbers, heat }, ask }          answered by { id, ask, names }
//   { race: seconds, ask }                                  answered by { id, ask, race } after every turn
//
// While it runs it tells { id, step, losses (the new ones), numbers, seconds, running, diverged } some seven times a second.

import { dice } from "./chance.js";
import { GPT } from "./gpt.js";
import { encoder } from "./text.js";
import { Training } from "./training.js";
import { autograd } from "./value.js";

const TELL = 150; // milliseconds between two reports
const SLICE = 12; // milliseconds of training without a look at the messages

let id;
let plan; // what the training was made from
let training;
let told = 0; // losses that the page has
let pace = 0;
let running = false;
let seconds = 0;
let owed = 0; // steps that the pace allows and that are not made yet
let last = 0; // when the pace was looked at
let reported = 0;
const channel = new MessageChannel();
channel.port1.onmessage = slice;

function begin({ begin: name, knobs, letters, docs, untrained }) {
  id = name;
  plan = [
    new GPT(knobs, letters.length + 1),
    encoder(letters, knobs.block),
    docs,
    untrained,
    knobs,
  ];
  training = new Training(...plan);
  running = false;
  seconds = told = 0;
}

// One parameter through a whole training: its gradient, the two moments, the number after the step.
function trace(parameter, steps) {
  const again = new Training(...plan);
  return Array.from({ length: steps }, () => {
    again.advance();
    const { numbers, first, second } = again.state;
    const of = (array) => array[parameter];
    return [again.gradients, first, second, numbers].map(of);
  });
}

function say({ knobs, letters, numbers, heat }) {
  const gpt = new GPT(knobs, letters.length + 1);
  return Array.from({ length: gpt.vocab > 500 ? 2 : 6 }, (_, i) => {
    const tokens = gpt.generate(numbers, heat, dice(knobs.seed + i));
    return tokens.map((token) => letters[token]).join("");
  });
}

function report() {
  reported = performance.now();
  const { step, losses, numbers, diverged } = training;
  const news = Float64Array.from(losses.slice(told));
  told = losses.length;
  postMessage({ id, step, losses: news, numbers: numbers.slice(), seconds, running, diverged });
}

function run(steps) {
  pace = steps;
  if (running || training.done) return;
  running = true;
  owed = 0;
  last = performance.now();
  report();
  channel.port2.postMessage(null);
}

function slice() {
  if (!running) return;
  const began = performance.now();
  owed = pace ? Math.min(owed + ((began - last) * pace) / 1000, pace / 4 + 1) : Infinity;
  last = began;
  let now = began;
  while (owed >= 1 && !training.done && now - began < SLICE) {
    training.advance();
    owed--;
    now = performance.now();
  }
  seconds += (now - began) / 1000;
  if (training.done) running = false;
  if (!running || now - reported > TELL) report();
  if (running) {
    if (owed < 1) setTimeout(slice, 4);
    else channel.port2.postMessage(null);
  }
}

// Both engines on the same names, by turns, for so many seconds each; told after every turn.
const TURN = 60; // milliseconds
function race(duration, askedBy) {
  const [gpt, tokensOf, docs, untrained] = plan;
  const gradients = new Float64Array(gpt.count);
  const engines = {
    autograd: (tokens) => autograd(gpt, untrained, tokens),
    explicit: (tokens) => gpt.explicit(untrained, tokens, gradients),
  };
  const done = { autograd: 0, explicit: 0 };
  const spent = { autograd: 0, explicit: 0 };
  const of = id;
  function turn() {
    if (of !== id) return;
    for (const engine of Object.keys(engines)) {
      const began = performance.now();
      do {
        engines[engine](tokensOf(docs[done[engine]++ % docs.length]));
      } while (performance.now() - began < TURN);
      spent[engine] += (performance.now() - began) / 1000;
    }
    const going = spent.explicit < duration;
    // Turns do not end at the same millisecond: count what each would have done in the same time.
    const autogradDone = Math.round((done.autograd * spent.explicit) / spent.autograd);
    postMessage({
      id,
      ask: askedBy,
      race: { autograd: autogradDone, explicit: done.explicit, seconds: spent.explicit, going },
    });
    if (going) setTimeout(turn);
  }
  turn();
}

addEventListener("message", ({ data }) => {
  if ("begin" in data) begin(data);
  if ("run" in data) run(data.run);
  if ("pause" in data && running) {
    running = false;
    report();
  }
  if ("at" in data) postMessage({ id, ask: data.ask, state: training.at(data.at) });
  if ("say" in data) postMessage({ id, ask: data.ask, names: say(data.say) });
  if ("race" in data) race(data.race, data.ask);
  if ("trace" in data) postMessage({ id, ask: data.ask, trace: trace(data.trace, data.steps) });
});
