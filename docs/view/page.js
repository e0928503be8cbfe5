// The page begins here.

import { effect } from "@preact/signals-core";
import * as model from "../model/live.js";
import { mount } from "../pictures/index.js";
import * as keys from "./keys.js";
import * as lecture from "./lecture.js";
import * as lines from "./lines.js";
import * as places from "./places.js";
import * as settings from "./settings.js";
import * as words from "./words.js";
import * as gpt from "../model/gpt.js";
import * as layers from "../model/layers.js";
import * as text from "../model/text.js";
import * as chance from "../model/chance.js";
import * as counts from "../model/counts.js";
import * as principal from "../model/principal.js";
import * as training from "../model/training.js";
import * as value from "../model/value.js";
import * as expression from "../model/expression.js";

document.documentElement.dataset.script = "1";
model.arrive(JSON.parse(document.getElementById("data").textContent));
keys.findWith(places.see);
const pictures = mount();

const { addKey } = keys;
function hideBar() {
  const button = document.getElementById("show-bar");
  const inside = settings.bar.contains(document.activeElement) || document.activeElement === button;
  settings.flip("bar");
  if (inside)
    (settings.settings.value.bar === "1" ? settings.bar.elements.code : button).focus({
      preventScroll: true,
    });
}
words.begin();
addKey("?", "this list", keys.showHelp);
addKey("s", "settings: show or hide the bar", hideBar);
addKey("c", "code column", () => settings.flip("code"));
addKey("t", "talk column", settings.talkColumn);
addKey("n", "numbers column", () => settings.flip("numbers"));
addKey("k", "talk: all, paragraphs only, none", () => settings.turn("talk"));
addKey("p", "pictures", () => settings.flip("pictures"));
addKey("r", "line numbers", () => settings.flip("lines"));
addKey("+", "larger type", () => settings.grow(1));
addKey("=", "", () => settings.grow(1));
addKey("-", "smaller type", () => settings.grow(-1));
addKey("0", "type as at first", () => settings.change({ size: settings.defaults.size }));
addKey("d", "light, dark, as the system", () => settings.turn("theme"));
addKey(".", "next section", () => places.turnSection(1));
addKey(",", "previous section", () => places.turnSection(-1));
addKey("a", "answer to the section's question", lecture.answer);
lecture.begin();
keys.begin();
settings.begin();
places.begin();
lines.begin();
for (const [name, act] of [
  ["help", keys.showHelp],
  ["bar", hideBar],
  ["lecture", lecture.toggle],
]) {
  for (const button of document.querySelectorAll(`[data-do=${name}]`))
    button.addEventListener("click", act);
}
settings.bar.elements.lecture.addEventListener("change", lecture.toggle);
// While it trains, what is off the screen need not be laid out again and again.
effect(() => {
  document.documentElement.dataset.running = model.progress.value.running ? "1" : "0";
});
places.arrive();

// For the tests, and for the curious at the console.
const parts = {
  ...gpt,
  ...layers,
  ...text,
  ...chance,
  ...counts,
  ...principal,
  ...training,
  ...value,
  ...expression,
};
window.microgpt = { live: model, model: parts, pictures, settings: settings.settings, places };
