// Section 9: own data. A text is pasted, chosen, or dropped anywhere on the page.

import * as live from "../model/live.js";
import { effect } from "@preact/signals-core";
import { button, controls, leave } from "./controls.js";
import { element, number, short, steps, whole } from "./draw.js";
import { makesUp } from "./lab.js";
import { meanAt, sums } from "./loss.js";

const LONG = 5000; // a pasted text of more characters is not shown
const FEW = 20; // items that are too few to learn anything but them
const MOST = 4000000; // bytes of a file

export function ownData(figure) {
  const area = element("textarea", {
    rows: 5,
    spellcheck: "false",
    placeholder: "one item a line",
  });
  area.setAttribute("aria-label", "a text, one item a line");
  const status = element("p", { class: "what", role: "status" });
  const file = element("input", { type: "file", accept: ".txt,.csv,text/*" });
  file.setAttribute("aria-label", "a text file, one item a line");
  const back = button("Back to the lecture's names", () => {
    live.recall();
    status.textContent = "Every picture shows the lecture's own run again.";
  });
  const makes = makesUp();
  const learned = element("p", { class: "what" });
  effect(() => {
    const { own, knobs } = live.run.value;
    const { step, diverged } = live.progress.value;
    back.hidden = makes.hidden = learned.hidden = !own;
    const mean = step ? `; the mean loss is ${number(meanAt(sums(live.losses), step), 2)}` : "";
    learned.textContent = diverged
      ? live.divergence()
      : `It has learned for ${steps(step)} of ${whole(knobs.steps)}${mean}.`;
  });
  function learn(words) {
    const problem = live.learn(words);
    if (problem) {
      status.textContent = problem;
      return false;
    }
    const { docs, letters } = live.run.value;
    const count = (n, one, many) => `${whole(n)} ${n === 1 ? one : many}`;
    const shown = docs.slice(0, 5).map((doc) => `“${short(doc)}”`);
    status.textContent =
      `It learns from ${count(docs.length, "item", "items")} with ` +
      `${count(letters.length, "letter", "different letters")}: ${shown.join(", ")}${docs.length > 5 ? ", …" : "."}` +
      (docs.length < FEW ? " So few items it can only learn by heart." : "");
    return true;
  }
  async function learnFile(given) {
    if (!given) return;
    if (given.size > MOST) {
      status.textContent = `This file has ${whole(given.size)} bytes; the page takes at most ${whole(MOST)}.`;
      return;
    }
    try {
      learn(new TextDecoder("utf-8", { fatal: true }).decode(await given.arrayBuffer()));
    } catch {
      status.textContent = "This file cannot be read as UTF-8 text.";
    }
  }
  file.addEventListener("change", () => learnFile(file.files[0]));
  leave(area, "Escape");
  // A long text is learned at once: to show it would take long.
  area.addEventListener("paste", (event) => {
    const words = event.clipboardData.getData("text/plain");
    if (words.length <= LONG) return;
    event.preventDefault();
    learn(words);
  });
  // A file dropped anywhere is taken, and never opened in the place of the page.
  const carries = (event) =>
    [...(event.dataTransfer?.types ?? [])].some(
      (type) => type === "Files" || type === "text/plain",
    );
  const typing = (event) =>
    event.target.closest?.("input, textarea") && !event.dataTransfer.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carries(event) || typing(event)) return;
    event.preventDefault();
    figure.classList.add("over");
  });
  for (const kind of ["dragleave", "dragend"]) {
    addEventListener(kind, (event) => {
      if (!event.relatedTarget) figure.classList.remove("over");
    });
  }
  addEventListener("drop", (event) => {
    figure.classList.remove("over");
    if (!carries(event) || typing(event)) return;
    event.preventDefault();
    const { files } = event.dataTransfer;
    if (files.length) learnFile(files[0]);
    else if (figure.contains(event.target)) learn(event.dataTransfer.getData("text/plain"));
    else return;
    figure.scrollIntoView({ block: "nearest", behavior: "instant" });
  });
  figure.append(
    element(
      "p",
      {},
      "Paste a text, one item a line, in any alphabet, or drop a file anywhere on this page. A new model learns it, and " +
        "every picture of a model shows that model. Nothing leaves this machine.",
    ),
    area,
    controls(
      button("Learn this", () => learn(area.value), { class: "learn" }),
      element("label", {}, "or a file ", file),
      back,
    ),
    status,
    learned,
    makes,
  );
}
