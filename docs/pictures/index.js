// Every picture by the name that build.py gives its place.

import { addKey, go } from "../view/keys.js";
import * as live from "../model/live.js";
import { adam } from "./adam.js";
import { attention } from "./attention.js";
import { warm } from "./controls.js";
import { graph } from "./graph.js";
import { lab } from "./lab.js";
import { layer } from "./layer.js";
import { loss } from "./loss.js";
import { map } from "./map.js";
import { matrices } from "./matrices.js";
import { odds } from "./odds.js";
import { ownData } from "./own.js";
import { pairs } from "./pairs.js";
import { parts } from "./parts.js";
import { pictures } from "./picture.js";
import { race } from "./race.js";
import { runs } from "./runs.js";
import { staircase } from "./staircase.js";
import { surprise } from "./surprise.js";
import { tangent } from "./tangent.js";

const kinds = {
  ...{ adam, attention, graph, lab, layer, loss, map, matrices, odds, pairs, parts, race, runs },
  ...{ staircase, surprise, tangent, "own-data": ownData },
};

// These show the model at a moment of its training.
const LIVING =
  "lab loss layer attention matrices surprise tangent adam runs odds map staircase".split(" ");

export function mount() {
  const made = {};
  for (const place of document.querySelectorAll("[data-picture]")) {
    made[place.dataset.picture] = kinds[place.dataset.picture](place);
  }
  document.addEventListener("view:change", () => {
    for (const picture of pictures) picture.dirty();
  });
  // A key goes to its picture first, so that nothing is changed out of sight.
  const key = (letter, picture, words, act) =>
    addKey(letter, words, () => {
      if (go(picture)) act();
    });
  key("g", LIVING, "train the model, or pause", live.toggle);
  key("h", LIVING, "train at full speed, or at a pace to watch", () => {
    live.fast.value = !live.fast.value;
  });
  // From one to the next of the moments whose names are listed.
  const jump = (later) => {
    const { step: now } = live.state.value;
    const all = [...live.SHOWN, live.progress.value.step];
    const there = all.filter((step) => (later ? step > now : step < now)).sort((a, b) => a - b);
    if (there.length) live.goTo(there[later ? 0 : there.length - 1]);
  };
  key("e", LIVING, "an earlier moment of the training", () => jump(false));
  key("f", LIVING, "a later moment of the training", () => jump(true));
  key("b", ["graph"], "graph: back one node, then from the start", () => made.graph.back());
  key("v", ["lab"], "voice: the model speaks", () => made.lab.speak());
  key("w", ["lab", "odds"], "warmer: a higher temperature", () => warm(0.1));
  key("q", ["lab", "odds"], "quieter: a lower temperature", () => warm(-0.1));
  return made;
}
