"use strict";
// The pictures and what drives them: the live model of model.js, the typed name, the moment of training, a temperature.
// Every number shown is recorded by build.py or computed here by the live model. Text from outside is only ever text.

const Pictures = (() => {
  const LIVE = 120;                                          // milliseconds between two looks while it trains
  const MOST_ROWS = 64, MOST_BARS = 40, MOST_ON_MAP = 80;    // of a large alphabet, so many are drawn
  const LONG = 5000;                                         // a pasted text of more characters is not shown
  const VOWELS = "aeiouαεηιουωаеиоуыэюяі";
  const live = { spokenAt: new Map() };
  const pictures = new Set(), listeners = new Set();

  // -- Small tools ----------------------------------------------------------------------------------------------------
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }
  function shape(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined) made.setAttribute(key, typeof value === "number" ? +value.toFixed(2) : value);
    }
    made.append(...children);
    return made;
  }
  function text(x, y, words, className = "", size) {
    return shape("text", { x, y, class: className, style: size && `font-size: ${size.toFixed(2)}px` }, words);
  }
  const whole = number => number.toLocaleString("en");
  const number = (value, digits = 4) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);
  const percent = value => value === 0 ? "0 %" : value < 0.001 ? "under 0.1 %" : `${(100 * value).toFixed(1)} %`;
  const steps = count => `${whole(count)} ${count === 1 ? "step" : "steps"}`;
  const time = step => step === 0 ? "untrained" : `after ${steps(step)}`;
  const short = (words, most = 20) => {
    const characters = Array.from(words.slice(0, 4 * most));
    return characters.length > most ? characters.slice(0, most - 1).join("") + "…" : characters.join("");
  };
  const visible = letter => /^[\s\p{C}\p{Z}]$/u.test(letter) ? (letter === " " ? "␣" : "□")
                          : /^\p{M}$/u.test(letter) ? "◌" + letter : letter;
  const label = token => token === live.gpt.BOS ? "·" : visible(live.letters[token]);
  const called = token => token === live.gpt.BOS ? "BOS" : label(token);
  const decode = tokens => tokens.map(token => token === live.gpt.BOS ? "" : live.letters[token]).join("");

  // -- A picture: an SVG that fits its place, tells its values to pointer and keys, and can be saved ------------------
  // `draw(width, f)`, with f the size of its type, returns {height, label, nodes, at, tell, pick, start}:
  // at(x, y) -> [row, column], tell(row, column) -> {text, box: [x, y, width, height]} or nothing.
  class Picture {
    constructor(parent, { draw, hint, name, key, beside = parent }) {
      Object.assign(this, { drawing: draw, hint, name, key, cursor: null, onScreen: true });
      this.svg = shape("svg", { role: "img", tabindex: 0, class: "drawing" });
      this.frame = shape("rect", { class: "cursor", visibility: "hidden" });
      this.readout = element("p", { class: "readout", "aria-live": "polite" }, hint);
      this.box = element("div", { class: "canvas" }, this.svg);
      const save = element("button", { type: "button", class: "save", title: "save this picture as an SVG file",
                                       onclick: () => this.save() }, "save");
      save.setAttribute("aria-label", `save the picture: ${name}`);
      this.below = element("div", { class: "below" }, this.readout, save);
      parent.append(this.box);
      beside.append(this.below);

      this.svg.addEventListener("pointermove", event => this.point(event));
      this.svg.addEventListener("pointerdown", event => {
        this.point(event);
        if (this.cursor && this.made.pick) this.made.pick(...this.cursor);
      });
      this.svg.addEventListener("pointerleave", event => {
        if (event.pointerType === "mouse" && document.activeElement !== this.svg) this.show(null);
      });
      this.svg.addEventListener("blur", () => this.show(null));
      this.svg.addEventListener("focus", () => {
        if (!this.cursor && this.made && this.svg.matches(":focus-visible")) this.show(this.made.start || [0, 0]);
      });
      this.svg.addEventListener("keydown", event => this.pressed(event));
      new ResizeObserver(() => { if (this.box.clientWidth !== this.width) this.dirty(); }).observe(this.box);
      new IntersectionObserver(([entry]) => {
        this.onScreen = entry.isIntersecting;
        if (this.onScreen && this.late) this.dirty();
      }, { rootMargin: "25%" }).observe(this.box);
      pictures.add(this);
      this.dirty();
    }

    remove() {
      pictures.delete(this);
      queue.delete(this);
      this.box.remove();
      this.below.remove();
    }

    dirty() {
      queue.add(this);
      wake();
    }

    draw() {
      const width = this.box.clientWidth;
      if (!width) { this.width = 0; return; }                // hidden; the ResizeObserver will call again
      this.late = false;
      this.width = width;
      const em = parseFloat(getComputedStyle(this.box).fontSize);
      this.f = Math.max(8, Math.min(em, width / 25));
      this.made = this.drawing(Math.min(width, 60 * this.f), this.f);
      const { height, width: used = width } = this.made;
      for (const [key, value] of [["width", used], ["height", height]]) this.svg.setAttribute(key, value.toFixed(1));
      this.below.style.maxWidth = `max(${used.toFixed(0)}px, 26em)`;
      this.svg.setAttribute("viewBox", `0 0 ${used.toFixed(1)} ${height.toFixed(1)}`);
      this.svg.setAttribute("aria-label", this.made.label);
      this.svg.style.fontSize = `${this.f.toFixed(2)}px`;
      this.svg.replaceChildren(...this.made.nodes, this.frame);
      this.show(this.cursor);
    }

    show(cursor) {                                           // the value at [row, column], or none
      const told = cursor && this.made && this.made.tell && this.made.tell(...cursor);
      this.cursor = told ? cursor : null;
      this.frame.setAttribute("visibility", told && told.box ? "visible" : "hidden");
      if (told && told.box) {
        ["x", "y", "width", "height"].forEach((key, i) => this.frame.setAttribute(key, told.box[i].toFixed(2)));
      }
      const words = told ? told.text : (this.made && this.made.rest) || this.hint;
      if (this.readout.textContent !== words) this.readout.textContent = words;
    }

    point(event) {
      if (!this.made || !this.made.at) return;
      const place = this.svg.getBoundingClientRect(), scale = this.svg.viewBox.baseVal.width / place.width;
      this.show(this.made.at((event.clientX - place.left) * scale, (event.clientY - place.top) * scale));
    }

    pressed(event) {
      if (event.ctrlKey || event.altKey || event.metaKey || !this.made) return;
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
                    PageUp: [0, -100], PageDown: [0, 100] }[event.key];
      let taken = this.key ? this.key(event) : false;
      if (!taken && way && this.made.tell) {
        const [row, column] = this.cursor || this.made.start || [0, 0];
        const next = this.cursor ? [row + way[0], column + way[1]] : [row, column];
        if (this.made.tell(...next)) this.show(next);
        taken = true;
      }
      if (!taken && (event.key === "Enter" || event.key === " ") && this.cursor && this.made.pick) {
        this.made.pick(...this.cursor);
        taken = true;
      }
      if (!taken && event.key === "Escape" && this.made.unpick && this.made.unpick()) taken = true;
      if (taken) {
        event.preventDefault();
        event.stopPropagation();
      }
    }

    save() {                                                 // as a file of its own: the colours written out
      const copy = this.svg.cloneNode(true), from = [...this.svg.querySelectorAll("*")];
      [...copy.querySelectorAll("*")].forEach((node, i) => {
        const style = getComputedStyle(from[i]);
        for (const key of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
                           "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline",
                           "paint-order", "stroke-linejoin", "opacity"]) {
          node.setAttribute(key, style.getPropertyValue(key));
        }
        node.removeAttribute("class");
      });
      copy.lastElementChild.remove();                        // the cursor
      const background = shape("rect", { width: "100%", height: "100%" });
      background.setAttribute("fill", getComputedStyle(document.documentElement).getPropertyValue("--paper").trim());
      copy.prepend(background);
      for (const key of ["class", "style", "tabindex"]) copy.removeAttribute(key);
      const file = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
      const link = element("a", { href: URL.createObjectURL(file), download: `microgpt-${this.name.replace(/\W+/g, "-")}.svg` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }
  }

  // Pictures wait here and are drawn in the next frames, a few milliseconds a frame.
  const queue = new Set();
  let awake = false;
  function wake() {
    if (awake) return;
    awake = true;
    requestAnimationFrame(() => {
      awake = false;
      const began = performance.now();
      for (const picture of [...queue]) {
        if (performance.now() - began > 6) break;
        queue.delete(picture);
        picture.draw();
      }
      if (queue.size) wake();
    });
  }

  // -- The live model -------------------------------------------------------------------------------------------------
  function learnFrom({ docs, letters, untrained, own }) {    // a set of names, and a model that has not learned yet
    if (live.training) live.training.pause();
    const { knobs } = live.data;
    Object.assign(live, { docs, letters, own, gpt: new Model.GPT(knobs, letters.length + 1), moment: null });
    live.tokensOf = Model.encoder(letters, knobs.block);
    live.known = new Set(letters);
    live.bigram = own ? Model.bigram(docs, live.tokensOf, knobs.block, live.gpt.vocab) : live.data.bigram;
    const chance = Model.dice(knobs.seed);
    live.untrained = untrained || Float64Array.from({ length: live.gpt.count }, () => 0.08 * Model.gauss(chance));
    live.name = docs[0];
    live.single = null;
    restart();
  }

  function restart() {
    if (live.training) live.training.pause();
    live.spokenAt.clear();
    live.moment = null;
    const plan = { rate: live.data.knobs.rate, steps: live.goal };
    live.training = new Model.Training(live.gpt, live.tokensOf, live.docs, live.untrained, plan, trained);
    live.training.slow = live.slow;
    changed();
  }

  function toggleTraining() {
    const { training } = live;
    if (training.running) return training.pause();
    if (training.done || (training.step === 0 && training.steps !== live.goal)) restart();
    live.moment = null;
    live.training.run();
    changed();
  }

  // While it trains the pictures follow it a few times a second; at the end, or when it rests, all are drawn.
  let last = 0;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  function trained() {
    const now = performance.now();
    if (live.training.running && (still.matches || now - last < LIVE)) return;
    last = now;
    changed();
  }

  function changed() {
    live.cache = null;
    for (const listener of listeners) listener();
    for (const picture of pictures) {
      if (live.training.running && !picture.onScreen) picture.late = true; else picture.dirty();
    }
  }

  function moments() { return live.training.moments(); }
  function chosen() {                                        // [step, numbers] of the moment that is shown
    const all = moments();
    return all.find(([step]) => step === live.moment) || all[all.length - 1];
  }
  function goTo(index) {
    const all = moments();
    index = Math.max(0, Math.min(all.length - 1, index));
    live.moment = index === all.length - 1 ? null : all[index][0];  // null: the latest, also as training goes on
    changed();
  }
  function here() {
    const [step] = chosen();
    return moments().findIndex(([other]) => other === step);
  }

  // What the model makes of the typed name at the chosen moment. Letters it has not are left out, and said so.
  function typed() {
    if (live.cache) return live.cache;
    const kept = [], missing = [];
    const { block, vocab } = live.gpt;
    for (const letter of live.name) {
      if (kept.length >= block) break;
      const known = [letter, letter.toLowerCase()].find(other => live.known.has(other));
      if (known) kept.push(known); else if (!missing.includes(letter)) missing.push(letter);
    }
    const tokens = live.tokensOf(kept), T = Math.min(block, tokens.length - 1);
    const [step, numbers] = chosen();
    const made = live.gpt.forward(numbers, tokens.slice(0, T));
    const probs = Model.softmax(made.logits, vocab);
    const note = (missing.length ? `The model has no letter ${missing.slice(0, 8).map(visible).join(" ")}; left out. ` : "") +
                 (kept.length >= block ? `The block ends after ${whole(block)} tokens; what comes later is cut. ` : "");
    const name = tokens.slice(1, T + 1).filter(token => token !== live.gpt.BOS).map(label).join("");
    return live.cache = { step, numbers, tokens, T, made, probs, note, name };
  }

  function names(step, numbers) {                            // that the model would say at a moment, with the same dice
    const key = `${step} ${live.temperature}`;
    if (!live.spokenAt.has(key)) {
      const said = [], many = live.gpt.vocab > 500 ? 2 : 6;   // a large alphabet takes its time
      for (let i = 0; i < many; i++) {
        said.push(decode(live.gpt.generate(numbers, live.temperature, Model.dice(live.data.knobs.seed + i))));
      }
      live.spokenAt.set(key, said);
    }
    return live.spokenAt.get(key);
  }

  // -- Controls -------------------------------------------------------------------------------------------------------
  function button(words, press, attributes = {}) {
    return element("button", { type: "button", onclick: press, ...attributes }, words);
  }
  function follow(update) {
    listeners.add(update);
    update();
  }

  function trainButton() {
    const made = button("", toggleTraining, { class: "train", "aria-keyshortcuts": "g" });
    follow(() => {
      const { training } = live;
      made.textContent = training.running ? "Pause" : training.done ? "Train again" : training.step ? "Go on" : "Train";
    });
    return made;
  }
  function momentSlider() {
    const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "moment of the training" });
    const said = element("output", { "aria-live": "off" });
    slider.addEventListener("input", () => goTo(+slider.value));
    follow(() => {
      const count = moments().length, [step] = chosen();
      slider.max = Math.max(1, count - 1);
      slider.disabled = count < 2;
      slider.value = here();
      slider.setAttribute("aria-valuetext", time(step));
      said.textContent = time(step);
    });
    return element("label", { class: "moment" }, "moment ", slider, said);
  }
  function nameField() {
    const field = element("input", { type: "text", size: 12, spellcheck: "false", autocomplete: "off",
                                     autocapitalize: "off", "aria-label": "a name for the model to read" });
    field.addEventListener("input", () => {
      live.name = field.value;
      live.single = null;
      changed();
    });
    leave(field, "Enter", "Escape");
    const note = element("span", { class: "remark", role: "status" });
    follow(() => {
      if (document.activeElement !== field && field.value !== live.name) field.value = live.name.slice(0, 200);
      note.textContent = typed().note;
    });
    return [element("label", {}, "name ", field), note];
  }
  function temperatureSlider() {
    const slider = element("input", { type: "range", min: 0.1, max: 2, step: 0.05, "aria-label": "temperature" });
    const said = element("output", { "aria-live": "off" });
    slider.addEventListener("input", () => {
      live.temperature = +slider.value;
      changed();
    });
    follow(() => {
      slider.value = live.temperature;
      said.textContent = live.temperature.toFixed(2);
    });
    return element("label", {}, "temperature ", slider, said);
  }
  function leave(field, ...keys) {                           // these keys give the keyboard back to the page
    field.addEventListener("keydown", event => { if (keys.includes(event.key) && !event.isComposing) field.blur(); });
  }
  function controls(...made) { return element("div", { class: "controls" }, ...made.flat()); }
  function caption(words) { return element("figcaption", {}, words); }
  function twoSides(figure) {                                // side by side where there is room
    const left = element("div"), right = element("div");
    figure.append(element("div", { class: "two" }, left, right));
    return [left, right];
  }

  // -- Heat maps ------------------------------------------------------------------------------------------------------
  // Cells of one strength share a path: 20 strengths of blue for numbers above 0, of grey for those below.
  function cells(rows, columns, cell, gap, value, strength, tall = cell) {
    const paths = new Map(), w = (cell - gap).toFixed(1), h = (tall - gap).toFixed(1);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const v = value(r, c);
        if (v === undefined) continue;
        const level = Math.round(20 * strength(Math.abs(v)));
        const key = `${v < 0 ? "below" : "above"} ${level}`;
        paths.set(key, (paths.get(key) || "") + `M${(c * cell).toFixed(1)} ${(r * tall).toFixed(1)}h${w}v${h}h-${w}z`);
      }
    }
    return [...paths].map(([key, d]) => {
      const [sign, level] = key.split(" ");
      return shape("path", { d, class: +level ? `cell ${sign}` : "cell none", "fill-opacity": +level ? level / 20 : undefined });
    });
  }

  function heat(width, f, { rows, columns, value, rowLabel, columnLabel, say, label }) {
    let largest = 0, least = 0;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const v = value(r, c) || 0;
        largest = Math.max(largest, Math.abs(v));
        least = Math.min(least, v);
      }
    }
    const left = 2.6 * f, top = 1.3 * f;
    const cell = Math.max(1, Math.min(1.3 * f, (width - left - 1) / columns, Math.max(Math.min(26 * f, 0.62 * innerHeight) / rows, 0.4 * f)));
    const gap = cell > 8 ? 1 : cell > 4 ? 0.5 : 0.2, small = Math.min(0.8 * f, Math.max(0.85 * cell, 0.5 * f));
    const every = step => [1, 2, 4, 8, 16, 32].find(n => n * cell >= step) || 64;
    const nodes = [shape("g", { transform: `translate(${left.toFixed(2)} ${top.toFixed(2)})` },
      ...cells(rows, columns, cell, gap, value, v => largest ? v / largest : 0))];
    const down = every(0.9 * small), across = every(1.9 * small);
    for (let r = 0; r < rows; r += down) {
      nodes.push(text(left - 0.5 * f, top + (r + 0.5) * cell, rowLabel(r), "mono end middle", small));
    }
    for (let c = 0; c < columns; c += columnLabel ? 1 : across) {
      const words = columnLabel ? columnLabel(c) : String(c);
      if (words) nodes.push(text(left + (c + 0.5) * cell, top - 0.35 * f, words, "mono center muted", small));
    }
    const bottom = top + rows * cell, legend = bottom + 0.9 * f, bar = Math.min(9 * f, width - left - 14 * f);
    const ramp = Array.from({ length: 21 }, (_, i) => least < 0 ? (i - 10) / 10 : i / 20);
    nodes.push(shape("g", { transform: `translate(${(left + 4.6 * f).toFixed(2)} ${legend.toFixed(2)})` },
      ...ramp.map((v, i) => shape("rect", { x: i * bar / 21, y: 0, width: bar / 21 + 0.3, height: 0.6 * f,
        class: v === 0 ? "cell none" : v < 0 ? "cell below" : "cell above", "fill-opacity": v === 0 ? undefined : Math.abs(v) }))));
    nodes.push(text(left + 4.2 * f, legend + 0.35 * f, number(least < 0 ? -largest : 0, 2), "end middle muted small"),
               text(left + 5 * f + bar, legend + 0.35 * f, number(largest, 2), "middle muted small"));
    width = Math.max(left + columns * cell + 1, left + 8.6 * f + bar);
    return {
      width, height: legend + 1.3 * f, label, nodes,
      at: (x, y) => {
        const row = Math.floor((y - top) / cell), column = Math.floor((x - left) / cell);
        return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
      },
      tell: (row, column) => row >= 0 && row < rows && column >= 0 && column < columns && {
        text: say(row, column, value(row, column)),
        box: [left + column * cell - gap / 2, top + row * cell - gap / 2, cell, cell],
      },
    };
  }

  // -- The graph of the worked example (section 3) --------------------------------------------------------------------
  function graph(figure) {
    const nodes = live.data.graph.nodes || live.data.graph;
    const results = nodes.map((_, i) => i).filter(i => nodes[i].edges.length).reverse();  // the last made comes first
    const root = nodes.length - 1;
    let walked = -1;                                         // -1: not begun; 0: the loss has its 1; then one node each

    function state() {                                       // as backward() leaves it after so many nodes
      const grad = nodes.map(() => 0);
      if (walked >= 0) grad[root] = 1;
      for (const i of results.slice(0, Math.max(0, walked))) {
        for (const [child, slope] of nodes[i].edges) grad[child] += slope * grad[i];
      }
      return grad;
    }
    const plain = value => String(+value.toFixed(4)).replace("-", "−");
    function sentence() {
      if (walked < 0) return "The data, in blue, have been computed. Every gradient is still 0.";
      if (walked === 0) return `${nodes[root].label} grows as fast as itself: its gradient is 1.`;
      const i = results[walked - 1], grad = state();
      const shares = nodes[i].edges.map(([child, slope]) => `${nodes[child].label} gets ${plain(slope)} × ${plain(grad[i])}`);
      const sums = nodes[i].edges.map(([child]) => `${nodes[child].label} has now ${plain(grad[child])}`);
      return `${nodes[i].label} passes its gradient ${plain(grad[i])} on: ${shares.join(", ")}. ${sums.join(", ")}.` +
             (walked === results.length ? " That was the last: all gradients are complete." : "");
    }
    function go(to) {
      walked = Math.max(-1, Math.min(results.length, to));
      back.disabled = walked === results.length;
      forward.disabled = walked === -1;
      picture.show(null);
      picture.dirty();
      picture.readout.textContent = sentence();
    }
    const back = button("Back one node", () => go(walked + 1), { "aria-keyshortcuts": "b" });
    const forward = button("Undo", () => go(walked - 1), { disabled: true });
    figure.append(controls(back, forward, button("From the start", () => go(-1))));

    const depth = i => nodes[i].edges.length ? 1 + Math.max(...nodes[i].edges.map(([child]) => depth(child))) : 0;
    const leaves = nodes.map((_, i) => i).filter(i => !nodes[i].edges.length);
    const high = nodes.map((node, i) => !node.edges.length ? leaves.indexOf(i) : 0);
    nodes.forEach((node, i) => {                             // a result stands by its lowest child, the last amid them
      const places = node.edges.map(([child]) => high[child]);
      if (places.length) high[i] = i === root ? places.reduce((a, b) => a + b) / places.length : Math.max(...places);
    });
    function draw(width, f) {
      const grad = state(), deepest = depth(root);
      const w = Math.min(6.6 * f, width / (deepest + 1) * 0.72), h = 3.7 * f;
      width = Math.min(width, 36 * f);
      const x = i => depth(i) * (width - w - 2) / deepest + 1, y = i => high[i] * 5.4 * f + 0.3 * f;
      const active = walked > 0 ? results[walked - 1] : walked === 0 ? root : -1, drawn = [];
      nodes.forEach((node, i) => node.edges.forEach(([child, slope]) => {
        const x1 = x(child) + w, y1 = y(child) + h / 2, x2 = x(i), y2 = y(i) + h / 2, bend = (x2 - x1) / 2;
        const lit = i === active && walked > 0;
        drawn.push(shape("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
                                   class: lit ? "edge active" : "edge" }));
        const t = depth(i) - depth(child) > 1 ? 0.45 : 0.5, u = 1 - t;
        const px = u ** 3 * x1 + 3 * u * u * t * (x1 + bend) + 3 * u * t * t * (x2 - bend) + t ** 3 * x2;
        const py = u ** 3 * y1 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t ** 3 * y2;
        drawn.push(text(px, py - 0.1 * f, `×${plain(slope)}`, `center middle halo wide mono small ${lit ? "gradient" : "muted"}`));
      }));
      nodes.forEach((node, i) => {
        const done = walked >= 0 && (i === root || grad[i] !== 0);
        drawn.push(shape("rect", { x: x(i), y: y(i), width: w, height: h, rx: 0.3 * f,
                                   class: i === active ? "node active" : "node" }),
          text(x(i) + w / 2, y(i) + 0.95 * f, node.label, "mono center middle small"),
          text(x(i) + w / 2, y(i) + 1.95 * f, `data ${plain(node.data)}`, "center middle tensor small"),
          text(x(i) + w / 2, y(i) + 2.9 * f, `grad ${plain(grad[i])}`, `center middle small ${done ? "gradient" : "muted"}`));
      });
      const find = (px, py) => nodes.findIndex((_, i) => px >= x(i) && px <= x(i) + w && py >= y(i) && py <= y(i) + h);
      return {
        width, height: Math.max(...high) * 5.4 * f + h + 0.6 * f, nodes: drawn, rest: sentence(),
        label: `Graph of ${nodes[root].label}: ` +
               nodes.map((node, i) => `${node.label} has data ${plain(node.data)} and gradient ${plain(grad[i])}`).join("; "),
        at: (px, py) => { const i = find(px, py); return i < 0 ? null : [0, i]; },
        tell: (row, i) => row === 0 && nodes[i] && {
          text: `${nodes[i].label}: data ${plain(nodes[i].data)}, gradient ${plain(grad[i])}. ` + (nodes[i].edges.length
            ? "Computed from " + nodes[i].edges.map(([child, slope]) => `${nodes[child].label} (local gradient ${plain(slope)})`).join(" and ") + "."
            : "A leaf: it has no edges."),
          box: [x(i) - 2, y(i) - 2, w + 4, h + 4],
        },
      };
    }
    const picture = new Picture(figure, {
      name: "graph", draw, hint: sentence(),
      key: event => {                                        // left: back one node; right: undo
        if (event.key === "ArrowLeft") go(walked + 1);
        else if (event.key === "ArrowRight") go(walked - 1);
        else return false;
        return true;
      },
    });
    addKey("b", "graph: back one node, then from the start", () => go(walked === results.length ? -1 : walked + 1));
    figure.append(caption(`The graph of ${nodes[root].label}. On every edge stands its local gradient. backward() goes from right to ` +
                          "left, from the last Value made to the first. Along a path we multiply, and where paths meet we add up."));
    live.graph = { state, go };
  }

  // -- Any matrix (section 4) -----------------------------------------------------------------------------------------
  function matrices(figure) {
    const choice = element("select", { "aria-label": "matrix of the model" });
    const fill = () => {
      const before = choice.value;
      choice.replaceChildren(...live.gpt.shapes.map(([name, rows, columns]) =>
        element("option", { value: name }, `${name} [${whole(rows)}][${columns}]`)));
      choice.value = live.gpt.shapes.some(([name]) => name === before) ? before : live.gpt.shapes[0][0];
    };
    let gpt;
    listeners.add(() => { if (gpt !== live.gpt) { gpt = live.gpt; fill(); } });
    fill();
    choice.addEventListener("change", () => picture.dirty());
    figure.append(controls(element("label", {}, "matrix ", choice), trainButton(), momentSlider()));
    const [left, right] = twoSides(figure);
    const picture = new Picture(left, {
      beside: right, name: "matrix", hint: "Point at a cell, or use the arrow keys in the picture, to read its number.",
      draw: (width, f) => {
        const [name, all, columns] = live.gpt.shapes.find(([name]) => name === choice.value);
        const [step, numbers] = chosen(), part = live.gpt.matrices(numbers)[name];
        const rows = Math.min(all, MOST_ROWS), tokens = name === "token" || name === "lm_head";
        const made = heat(width, f, {
          rows, columns, value: (r, c) => part[r * columns + c],
          rowLabel: r => tokens ? label(r) : String(r),
          say: (r, c, v) => `${name}[${r}][${c}] = ${number(v)}` + (tokens ? `, in the row of ${called(r)}` : ""),
          label: `Heat map of the matrix ${name}, ${all} rows of ${columns} numbers, ${time(step)}`,
        });
        made.rest = all > rows ? `The first ${rows} of ${whole(all)} rows are drawn.` : "";
        return made;
      },
    });
    right.append(caption("A matrix of the model, row by row. Blue is above 0, grey below; the closer to the paper's colour, the nearer to 0. " +
                          "Rows of token and lm_head belong to tokens; · is BOS."));
  }

  // -- The path of a name (section 5) ---------------------------------------------------------------------------------
  function stages() {
    const { made, T, probs, tokens } = typed(), { layers, width, heads, vocab } = live.gpt;
    const vector = (data, columns) => ({ rows: T, columns, shape: `[T][${columns === width ? "width" : columns === vocab ? "vocab" : "4 width"}]`,
                                         size: `[${T}][${columns}]`, value: (r, c) => data[r * columns + c] });
    const list = [
      { id: "tokens", name: "tokens", does: "", shape: "[T]", size: `[${T}]`, list: tokens.slice(0, T) },
      { id: "sums", name: "token + position", does: "two embeddings, added", ...vector(made.sums, width) },
      { id: "x0", name: "x", does: "their rmsnorm: the residual stream begins", stream: true, ...vector(made.x0, width) },
    ];
    made.layers.forEach((layer, at) => {
      const id = key => `${key} ${at}`, which = layers > 1 ? `layer ${at}: ` : "";
      list.push(
        { id: id("n"), name: "rmsnorm(x)", does: `${which}attention reads a normed copy`, branch: true, ...vector(layer.n, width) },
        { id: id("q"), name: "query", does: "what am I looking for?", branch: true, ...vector(layer.q, width) },
        { id: id("k"), name: "keys", does: "what can I be found by?", branch: true, ...vector(layer.k, width) },
        { id: id("v"), name: "values", does: "what do I have to tell?", branch: true, ...vector(layer.v, width) },
        { id: id("weights"), name: "weights", does: "softmax of query · key / root, in every head", branch: true,
          shape: "[heads][T][T]", size: `[${heads}][${T}][${T}]`, rows: T, columns: heads * T, headed: true,
          value: (r, c) => c % T <= r ? layer.weights[(Math.floor(c / T) * T + r) * T + c % T] : undefined },
        { id: id("heard"), name: "heard", does: "the sum of the values, each times its weight", branch: true, ...vector(layer.a, width) },
        { id: id("x1"), name: "x", does: "what attention found is added", stream: true, ...vector(layer.x1, width) },
        { id: id("n1"), name: "rmsnorm(x)", does: `${which}the MLP reads a normed copy`, branch: true, ...vector(layer.n1, width) },
        { id: id("hidden"), name: "hidden", does: "how well each pattern of up matches, none below 0", branch: true, ...vector(layer.hidden, 4 * width) },
        { id: id("x2"), name: "x", does: "what the MLP found is added", stream: true, ...vector(layer.x2, width) });
    });
    list.push(
      { id: "logits", name: "logits", does: "high if this token is likely to come next", letters: true, ...vector(made.logits, vocab) },
      { id: "probs", name: "probs", does: "their softmax: the probabilities of the next token", letters: true, ...vector(probs, vocab) },
      { id: "loss", name: "loss", does: "the mean surprise, -log p of what comes", shape: "", size: "", losses: true });
    return list;
  }

  function path(figure) {
    const rows = element("ol", { class: "path" });
    figure.append(controls(nameField(), trainButton(), momentSlider()), rows);
    let open = null, opened = null, buttons = [];

    function mini(stage) {                                   // one small drawing a stage: all have the same scale
      const columns = Math.min(64, stage.columns), { rows: T } = stage, cell = 4, tall = Math.max(1.5, Math.min(4, 26 / T));
      let largest = 0;
      for (let r = 0; r < T; r++) for (let c = 0; c < columns; c++) largest = Math.max(largest, Math.abs(stage.value(r, c) || 0));
      return shape("svg", { width: columns * cell, height: T * tall, viewBox: `0 0 ${columns * cell} ${T * tall}`,
                            class: "mini", "aria-hidden": "true" }, ...cells(T, columns, cell, 0.3, stage.value, v => largest ? v / largest : 0, tall));
    }
    const letters = stage => stage.list.map(token => `${label(token)} ${token}`).join("  ");
    function lossText() {
      const { T, probs, tokens } = typed(), { vocab } = live.gpt;
      let sum = 0;
      for (let t = 0; t < T; t++) sum += Math.log(1 / probs[t * vocab + tokens[t + 1]]);
      return number(sum / T);
    }
    function toggle(id) {
      open = open === id ? null : id;
      update();
    }
    const all = new Map();                                   // id -> what stands in its row
    function update() {
      const list = stages(), ids = list.map(stage => stage.id).join();
      if (rows.dataset.ids !== ids) {
        rows.dataset.ids = ids;
        if (opened) opened.remove();
        open = opened = null;
        all.clear();
        rows.replaceChildren(...list.map(stage => {
          const parts = { size: element("span", { class: "size" }), small: element("span", { class: "values" }) };
          const words = [element("span", { class: "what-it-is" }, element("b", {}, stage.name),
            element("span", { class: "shape" }, stage.shape), parts.size), parts.small, element("span", { class: "does" }, stage.does)];
          parts.head = stage.value ? button("", () => toggle(stage.id), { class: "stage", "aria-expanded": "false" })
                                   : element("div", { class: "stage" });
          parts.head.append(...words);
          parts.row = element("li", { class: stage.stream ? "stream" : stage.branch ? "branch" : "plain" }, parts.head);
          all.set(stage.id, parts);
          return parts.row;
        }));
      }
      for (const stage of list) {
        const parts = all.get(stage.id);
        parts.size.textContent = stage.size && `= ${stage.size}`;
        if (stage.value) parts.small.replaceChildren(mini(stage));
        else parts.small.textContent = stage.losses ? lossText() : letters(stage);
        parts.small.classList.toggle("loss", !!stage.losses);
        if (stage.value) parts.head.setAttribute("aria-expanded", String(stage.id === open));
      }
      if (opened && opened.stage !== open) { opened.remove(); opened = null; }
      if (open && !opened) {
        opened = new Picture(all.get(open).row, {
          name: `path-${open}`, hint: "Point at a cell, or use the arrow keys in the picture, to read its number.",
          draw: (width, f) => drawStage(stages().find(stage => stage.id === open), width, f),
        });
        opened.stage = open;
      } else if (opened) opened.dirty();
    }
    function drawStage(stage, width, f) {
      const { tokens, T, step } = typed();
      const columns = Math.min(stage.columns, stage.headed ? stage.columns : MOST_ROWS);
      const made = heat(width, f, {
        rows: T, columns, value: stage.value,
        rowLabel: r => label(tokens[r]),
        columnLabel: stage.letters ? label : stage.headed ? c => label(tokens[c % T]) : undefined,
        say: (r, c, v) => `at ${r}, ${called(tokens[r])}: ` + (stage.headed
          ? v === undefined ? "no token hears a later one" : `head ${Math.floor(c / T)} hears ${called(tokens[c % T])} (${c % T}) by ${percent(v)}`
          : `${stage.name}[${r}][${c}] = ${number(v)}${stage.letters ? `, for ${called(c)}` : ""}`),
        label: `Heat map of ${stage.name}, ${stage.size}, for the name ${typed().name}, ${time(step)}`,
      });
      if (columns < stage.columns) made.rest = `The first ${columns} of ${whole(stage.columns)} columns are drawn.`;
      return made;
    }
    let last = 0;
    listeners.add(() => {                                    // every change, but rarely while it trains
      if (live.training.running && performance.now() - last < 3 * LIVE) return;
      last = performance.now();
      update();
    });
    update();
    figure.append(caption("The way of a name through the model, from tokens to loss. T is the number of tokens that it looks at. Each small " +
                          "drawing is a matrix with a row for every token; press a line to open its numbers. The line at the " +
                          "left is the residual stream; what is indented reads from it and is added to it."));
  }

  // -- The loss (section 9), with the controls of the training --------------------------------------------------------
  function sums(losses) {                                    // prefix sums: the mean of any stretch in two looks
    const made = new Float64Array(losses.length + 1);
    for (let i = 0; i < losses.length; i++) made[i + 1] = made[i] + losses[i];
    return made;
  }
  const WINDOW = 100;
  const meanAt = (prefix, done) => (prefix[done] - prefix[Math.max(0, done - WINDOW)]) / Math.min(done, WINDOW);

  function loss(figure) {
    const length = element("select", { "aria-label": "length of the training" },
      ...[100, 300, 1000, 3000, 10000].concat(live.goal).filter((n, i, all) => n > 0 && all.indexOf(n) === i)
        .sort((a, b) => a - b).map(n => element("option", { value: n }, steps(n))));
    length.value = live.goal;
    length.addEventListener("change", () => {
      live.goal = +length.value;
      restart();
    });
    const pace = element("select", { "aria-label": "pace of the training" },
      element("option", { value: "" }, "at full speed"), element("option", { value: "slow" }, "slowly, to watch"));
    pace.addEventListener("change", () => { live.training.slow = live.slow = pace.value === "slow"; });
    figure.append(controls(trainButton(), element("label", {}, "for ", length), pace,
                           button("Start over", restart), momentSlider()));
    const recorded = live.data.losses, recordedSums = sums(recorded);
    const [left, right] = twoSides(figure);
    new Picture(left, {
      name: "loss", hint: "Point at the curve, or use the arrow keys in the picture, to read a step.",
      draw: (width, f) => {
        const { losses, steps: goal } = live.training, prefix = sums(losses), shown = live.own ? [] : recorded;
        const know = Math.log(live.gpt.vocab);
        let most = know, end = Math.max(goal, live.own ? 0 : Math.min(recorded.length, 10000), 1);
        for (const value of losses) most = Math.max(most, Math.min(value, 50));
        for (const value of shown) most = Math.max(most, value);
        most *= 1.03;
        const left = 2 * f, right = width - 6.8 * f, top = 0.8 * f, bottom = Math.max(9 * f, Math.min(0.6 * width, 17 * f, 0.45 * innerHeight)), nodes = [];
        const x = step => left + step / end * (right - left), y = value => bottom - Math.min(value, most) / most * (bottom - top);

        const line = (values, sums, every) => {              // a point for every step, or two for every column of pixels
          const stride = Math.max(1, Math.floor(values.length / 2 / (right - left) * 2)), points = [];
          for (let from = 0; from < values.length; from += stride) {
            const to = Math.min(values.length, from + stride);
            if (every) {
              let low = Infinity, high = -Infinity;
              for (let i = from; i < to; i++) { low = Math.min(low, values[i]); high = Math.max(high, values[i]); }
              points.push(`${x(to).toFixed(1)} ${y(high).toFixed(1)}`);
              if (low !== high) points.push(`${x(to).toFixed(1)} ${y(low).toFixed(1)}`);
            } else points.push(`${x(to).toFixed(1)} ${y(meanAt(sums, to)).toFixed(1)}`);
          }
          return points.length ? "M" + points.join("L") : "";
        };
        for (let value = 0; value <= most; value++) {
          nodes.push(shape("path", { d: `M${left} ${y(value)}H${right}`, class: value ? "grid" : "axis" }),
                     text(left - 0.5 * f, y(value), String(value), "end middle muted small"));
        }
        for (let i = 0; i <= 4; i++) {
          nodes.push(text(x(end * i / 4), bottom + 1.1 * f, whole(Math.round(end * i / 4)), "center muted small"));
        }
        nodes.push(text(right + 2.2 * f, bottom + 1.1 * f, "steps", "muted small"));
        if (!live.own) nodes.push(shape("path", { d: line(recorded, recordedSums), class: "recorded" }));
        nodes.push(shape("path", { d: line(losses, prefix, true), class: "each" }),
                   shape("path", { d: line(losses, prefix), class: "mean" }));
        const marks = [[know, `log ${whole(live.gpt.vocab)} = ${know.toFixed(2)}`, "muted"],
                       [live.bigram, `bigram ${live.bigram.toFixed(2)}`, "muted"]];
        if (losses.length) marks.push([meanAt(prefix, losses.length), `mean ${meanAt(prefix, losses.length).toFixed(2)}`, "loss"]);
        for (const [value, , name] of marks) {
          if (name === "muted") nodes.push(shape("path", { d: `M${left} ${y(value)}H${right}`, class: "level" }));
        }
        marks.sort((a, b) => b[0] - a[0]);
        let free = -Infinity;                                // labels keep a line's distance
        for (const [value, words, name] of marks) {
          free = Math.max(free + 1.1 * f, y(value));
          nodes.push(text(right + 0.6 * f, free, words, `middle small ${name}`));
        }
        const [step] = chosen();
        if (losses.length) {
          nodes.push(shape("path", { d: `M${x(step)} ${top}V${bottom}`, class: "here" }),
                     text(Math.max(left + 2 * f, Math.min(x(step), right - 2 * f)), top - 0.1 * f, time(step), "center small accent halo"));
        }
        const known = Math.max(losses.length, shown.length);
        const tell = (row, at) => {
          if (row !== 0 || at < 1 || at > known) return null;
          const own = at <= losses.length, values = own ? losses : recorded, totals = own ? prefix : recordedSums;
          return {
            text: `${own ? "" : "recorded run, "}step ${whole(at)}, “${short(live.docs[(at - 1) % live.docs.length])}”: loss ` +
                  `${number(values[at - 1])}, mean of the last ${WINDOW} ${number(meanAt(totals, at))}`,
            box: [x(at) - 1, top, 2, bottom - top],
          };
        };
        return {
          width, height: bottom + 1.7 * f, nodes, tell, start: [0, 1],
          label: losses.length
            ? `The loss of ${steps(losses.length)} of ${whole(goal)}; mean of the last ${WINDOW}: ${number(meanAt(prefix, losses.length), 2)}; ` +
              `a model that knows nothing: ${know.toFixed(2)}; a bigram table: ${live.bigram.toFixed(2)}`
            : live.own ? "The loss; the training has not begun"
            : `The loss of the recorded run of ${steps(recorded.length)}; the live training has not begun`,
          at: px => known && px >= left && px <= right ? [0, Math.max(1, Math.min(known, Math.round((px - left) / (right - left) * end)))] : null,
        };
      },
    });
    const title = element("caption"), body = element("tbody"), said = element("table", { class: "said" }, title, body);
    follow(() => {                                           // a row for every moment, kept while it changes
      const [now] = chosen(), all = moments();
      title.textContent = `names that it would make up, at temperature ${live.temperature.toFixed(2)}`;
      while (body.rows.length > all.length) body.lastChild.remove();
      while (body.rows.length < all.length) {
        const at = body.rows.length;
        body.append(element("tr", {}, element("th", { scope: "row" }, button("", () => goTo(at))), element("td")));
      }
      all.forEach(([step, numbers], i) => {
        const row = body.rows[i], press = row.querySelector("button");
        row.className = step === now ? "now" : "";
        press.setAttribute("aria-pressed", String(step === now));
        press.textContent = step === 0 ? "untrained" : steps(step);
        row.lastChild.textContent = names(step, numbers).map(name => name === "" ? "(silence)" : short(name, 24)).join(", ");
      });
    });
    const what = element("p", { class: "what", role: "status" });
    follow(() => {
      const { training } = live;
      what.textContent = (live.own ? `It learns from your ${whole(live.docs.length)} items with ${whole(live.letters.length)} letters. ` : "") +
        (training.running ? "" : training.done ? `${steps(training.step)} took ${training.seconds.toFixed(2)} s in this page.` : "");
    });
    right.append(said);
    figure.append(what, caption(
      "Thin, the loss of every step; thick, the mean of the last 100; grey, that of the recorded run. The upper line is a model " +
      "that knows nothing, the lower one a bigram table of the same names. The rate falls to 0 over the length that " +
      "you choose, so another length is another training. The page's dice are its own: its names differ from those that the file prints."));
    addKey("g", "train the model, or pause", toggleTraining);
    addKey("e", "an earlier moment of the training", () => goTo(here() - 1));
    addKey("f", "a later moment of the training", () => goTo(here() + 1));
  }

  // -- Attention (section 10) -----------------------------------------------------------------------------------------
  function attention(figure) {
    figure.append(controls(nameField(), trainButton(), momentSlider()));
    new Picture(figure, {
      name: "attention", hint: "Point at a cell to read its weight; click a row, or press Enter there, to see it alone.",
      draw: (width, f) => {
        const { T, made, tokens, step, name } = typed(), { layers, heads } = live.gpt;
        const edge = 1.4 * f, side = n => (width - 1 - (n - 1) * 0.9 * f) / n - edge;
        let across = heads;
        while (across > 1 && side(across) / T < 0.72 * f) across--;
        across = Math.ceil(heads / Math.ceil(heads / across));
        const cell = Math.min(1.7 * f, side(across) / T), gap = cell > 8 ? 1 : 0.5, lines = Math.ceil(heads / across);
        const step1 = edge + T * cell + 0.9 * f, high = T * cell + 3.1 * f, small = Math.min(0.85 * f, 0.95 * cell), nodes = [];
        const corner = (layer, head) => [edge + head % across * step1, 1.2 * f + (layer * lines + Math.floor(head / across)) * high];
        for (let layer = 0; layer < layers; layer++) {
          const { weights: p } = made.layers[layer];
          for (let head = 0; head < heads; head++) {
            const [x, y] = corner(layer, head), at = (r, c) => p[(head * T + r) * T + c];
            nodes.push(text(x, y - 0.45 * f, layers > 1 ? `layer ${layer}, head ${head}` : `head ${head}`, "small muted"));
            const triangle = shape("g", { transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})` });
            const part = (keep, className) => triangle.append(shape("g", { class: className },
              ...cells(T, T, cell, gap, (r, c) => c <= r && keep(r) ? at(r, c) : undefined, Math.sqrt)));
            if (live.single === null || live.single >= T) part(() => true, "");
            else { part(r => r !== live.single, "dimmed"); part(r => r === live.single, ""); }
            nodes.push(triangle);
            for (let t = 0; t < T; t++) {
              const lit = live.single === t ? "accent strong" : "";
              nodes.push(text(x - 0.3 * f, y + (t + 0.5) * cell, label(tokens[t]), `mono end middle ${lit}`, small),
                         text(x + (t + 0.5) * cell, y + T * cell + 0.9 * small, label(tokens[t]), "mono center", small));
            }
          }
        }
        const place = (row, column) => {                     // rows run through the lines of heads, columns through a line
          const line = Math.floor(row / T), head = line % lines * across + Math.floor(column / T);
          return { layer: Math.floor(line / lines), head, r: row % T, c: column % T, line };
        };
        const exists = (row, column) => {
          if (row < 0 || column < 0 || row >= layers * lines * T || column >= across * T) return false;
          const { head, r, c } = place(row, column);
          return head < heads && c <= r;
        };
        const whatItHears = (layer, r) => Array.from({ length: heads }, (_, head) => {
          const weights = Array.from({ length: r + 1 }, (_, c) => [made.layers[layer].weights[(head * T + r) * T + c], c]);
          return `head ${head} ` + weights.sort((a, b) => b[0] - a[0]).slice(0, 3)
            .map(([weight, c]) => `${called(tokens[c])} ${Math.round(100 * weight)} %`).join(", ");
        }).join("; ");
        return {
          width, height: layers * lines * high + 0.2 * f, nodes,
          label: `Attention for the name ${name}, ${time(step)}: ${layers * heads} heads, each a triangle of ${T} rows`,
          rest: live.single !== null && live.single < T
            ? `At ${live.single}, ${called(tokens[live.single])}, it looks at: ` + made.layers.map((_, layer) =>
                (layers > 1 ? `in layer ${layer}, ` : "") + whatItHears(layer, live.single)).join("; ") : "",
          start: [Math.min(live.single === null ? T - 1 : live.single, T - 1), 0],
          at: (px, py) => {
            const line = Math.floor((py - 1.2 * f) / high), column = Math.floor((px - edge) / step1);
            const r = Math.floor((py - 1.2 * f - line * high) / cell), c = Math.floor((px - edge - column * step1) / cell);
            if (line < 0 || column < 0 || column >= across || r < 0 || r >= T || c < 0 || c >= T) return null;
            const found = [line * T + r, column * T + c];
            return exists(...found) ? found : null;
          },
          tell: (row, column) => {
            if (!exists(row, column)) return null;
            const { layer, head, r, c } = place(row, column), [x, y] = corner(layer, head);
            return {
              text: `${layers > 1 ? `layer ${layer}, ` : ""}head ${head}: at ${r}, ${called(tokens[r])}, it hears ` +
                    `${called(tokens[c])} (${c}) by ${percent(made.layers[layer].weights[(head * T + r) * T + c])}`,
              box: [x + c * cell - gap / 2, y + r * cell - gap / 2, cell, cell],
            };
          },
          pick: row => {
            live.single = live.single === row % T ? null : row % T;
            changed();
          },
          unpick: () => {
            if (live.single === null) return false;
            live.single = null;
            changed();
            return true;
          },
        };
      },
    });
    figure.append(caption("In each head, the weight that each token (row) gives to the tokens so far (column). " +
                          "The shade follows the square root of the weight, so that small ones show. · is BOS."));
  }

  // -- The probabilities of the next token (section 10) -----------------------------------------------------------------------
  function odds(figure) {
    figure.append(controls(nameField(), temperatureSlider(), trainButton(), momentSlider()));
    new Picture(figure, {
      name: "odds", hint: "Point at a bar, or use the arrow keys in the picture, to read the probability.",
      draw: (width, f) => {
        const { T, made, tokens, step, name } = typed(), { vocab } = live.gpt;
        const p = Model.softmax(made.logits, vocab, live.temperature);
        let columns = Array.from({ length: vocab }, (_, token) => token);
        if (vocab > MOST_BARS) {                             // the likeliest anywhere, and those of the name
          const best = new Float64Array(vocab);
          for (let i = 0; i < p.length; i++) best[i % vocab] = Math.max(best[i % vocab], p[i]);
          for (let t = 0; t <= T; t++) if (tokens[t] !== undefined) best[tokens[t]] += 1;
          columns = columns.sort((a, b) => best[b] - best[a] || a - b).slice(0, MOST_BARS).sort((a, b) => a - b);
        }
        let most = 0;
        for (const value of p) most = Math.max(most, value);
        const left = 3 * f, right = width - 5.6 * f, bar = Math.min(1.5 * f, (right - left) / columns.length);
        const end = left + bar * columns.length, row = Math.max(1.35 * f, Math.min(2.6 * f, Math.min(24 * f, 0.42 * innerHeight) / T)), top = 1.4 * f;
        const small = Math.min(0.8 * f, 1.15 * bar), nodes = [], base = t => top + (t + 1) * row;
        const height = value => value / most * (row - 0.3 * f), heights = new Map();
        nodes.push(text(left - 0.6 * f, 0.9 * f, "after", "end small muted"), text(end + 0.6 * f, 0.9 * f, "comes", "small muted"));
        columns.forEach((token, i) => {
          for (const y of [0.9 * f, base(T - 1) + 1 * f]) {
            nodes.push(text(left + (i + 0.5) * bar, y, label(token), "mono center", small));
          }
        });
        let plain = "", next = "";
        for (let t = 0; t < T; t++) {
          nodes.push(shape("path", { d: `M${left} ${base(t)}H${end}`, class: "grid" }),
                     text(left - 0.6 * f, base(t) - 0.15 * f, label(tokens[t]), "mono end"));
          columns.forEach((token, i) => {
            const h = height(p[t * vocab + token]);
            const d = `M${(left + (i + 0.12) * bar).toFixed(1)} ${base(t).toFixed(1)}v${(-h).toFixed(2)}h${(0.76 * bar).toFixed(1)}V${base(t).toFixed(1)}z`;
            if (token === tokens[t + 1]) next += d; else plain += d;
          });
          if (tokens[t + 1] !== undefined) {
            const words = `${label(tokens[t + 1])} ${(100 * p[t * vocab + tokens[t + 1]]).toFixed(1)} %`;
            nodes.push(text(end + 0.6 * f, base(t) - 0.15 * f, words, "mono small accent"));
          }
        }
        nodes.push(shape("path", { d: plain, class: "odds-bar" }), shape("path", { d: next, class: "odds-bar next" }));
        const tell = (t, i) => t >= 0 && t < T && columns[i] !== undefined && {
          text: `after ${t ? `“${tokens.slice(1, t + 1).map(label).join("")}”` : "BOS"} comes ${called(columns[i])} with ${percent(p[t * vocab + columns[i]])}` +
                (columns[i] === tokens[t + 1] ? ", as in the name" : ""),
          box: [left + i * bar, base(t) - row + 0.1 * f, bar, row],
        };
        return {
          width, height: base(T - 1) + 1.6 * f, nodes, tell,
          label: `Probabilities of the next token at the ${T} places of the name ${name}, ${time(step)}, at temperature ${live.temperature.toFixed(2)}`,
          at: (x, y) => {
            const t = Math.floor((y - top) / row), i = Math.floor((x - left) / bar);
            return tell(t, i) ? [t, i] : null;
          },
          rest: `The highest bar is ${percent(most)}. Point at a bar, or use the arrow keys in the picture, to read it.` + (vocab > MOST_BARS ? ` The ${MOST_BARS} likeliest of ${whole(vocab)} tokens are drawn.` : ""),
        };
      },
    });
    const spoken = element("p", { class: "speech", "aria-live": "polite" });
    let chance, gpt;
    const speak = button("Speak", () => {
      if (gpt !== live.gpt) { gpt = live.gpt; chance = Model.dice(live.data.knobs.seed + 1000); }
      const [step, numbers] = chosen(), said = [];
      for (let i = 0; i < 8; i++) said.push(decode(live.gpt.generate(numbers, live.temperature, chance)));
      spoken.replaceChildren(`${time(step)}, at ${live.temperature.toFixed(2)}: `, ...said.map(name =>
        name === "" ? element("span", {}, "(silence)") : button(short(name, 24), () => {
          live.name = name;
          live.single = null;
          changed();
        }, { class: "name", title: "read this name" })));
    });
    listeners.add(() => { if (gpt && gpt !== live.gpt) { gpt = null; spoken.replaceChildren(); } });
    speak.setAttribute("aria-keyshortcuts", "v");
    addKey("v", "voice: the model speaks", () => speak.click());
    const warm = by => {
      live.temperature = Math.max(0.1, Math.min(2, Math.round(20 * (live.temperature + by)) / 20));
      changed();
    };
    addKey("w", "warmer: a higher temperature", () => warm(0.1));
    addKey("q", "quieter: a lower temperature", () => warm(-0.1));
    figure.append(controls(speak, spoken), caption(
      "Each row: the probabilities of what comes next, under the temperature; green, what the name goes on with. All bars have " +
      "one scale, the highest fills its row; · is BOS. Press a spoken name to have it read. The page's dice are its own, not those of the file."));
  }

  // -- The map of the letters -----------------------------------------------------------------------------------------
  const isVowel = letter => letter !== "й" && VOWELS.includes(Array.from(letter.toLowerCase().normalize("NFD"))[0]);

  function map(figure) {
    figure.append(controls(trainButton(), momentSlider()));
    let set, most;                                           // of many letters, the most frequent
    function drawn() {
      if (set !== live.docs) {
        set = live.docs;
        most = live.letters.map((_, token) => token);
        if (most.length > MOST_ON_MAP) {
          const counts = new Map();
          for (const doc of live.docs) for (const letter of doc) counts.set(letter, (counts.get(letter) || 0) + 1);
          most.sort((a, b) => counts.get(live.letters[b]) - counts.get(live.letters[a]) || a - b);
          most.length = MOST_ON_MAP;
        }
      }
      return most;
    }
    const [left, right] = twoSides(figure);
    new Picture(left, {
      beside: right, name: "map", hint: "Point at a letter, or use the arrow keys in the picture, to see what is near it.",
      draw: (width, f) => {
        const tokens = drawn(), n = live.gpt.width, [step, numbers] = chosen();
        const rows = tokens.map(token => numbers.subarray(token * n, (token + 1) * n));
        const { places, shares } = Model.principal(rows, n);
        width = Math.min(width, 34 * f);
        const high = Math.min(0.72 * width, 22 * f, 0.6 * innerHeight), margin = 2 * f;
        const range = axis => places.reduce(([low, top], p) => [Math.min(low, p[axis] || 0), Math.max(top, p[axis] || 0)], [0, 0]);
        const [x0, x1] = range(0), [y0, y1] = range(1);
        const scale = Math.min((width - 2 * margin) / (x1 - x0 || 1), (high - 2 * margin) / (y1 - y0 || 1));  // one for both
        const x = p => width / 2 + ((p[0] || 0) - (x0 + x1) / 2) * scale, y = p => high / 2 - ((p[1] || 0) - (y0 + y1) / 2) * scale;
        const dots = places.map(p => [x(p), y(p)]), spots = [], nodes = [];
        nodes.push(shape("path", { d: `M${x([0])} 0V${high}M0 ${y([0, 0])}H${width}`, class: "grid" }));
        const r = 0.2 * f, size = 0.95 * f, around = [];     // where a label may stand: near first, then farther
        for (const far of [0.75, 1.1, 1.6, 2.2]) {
          for (let i = 0; i < 8; i++) around.push([far * f * Math.cos(i * Math.PI / 4), far * f * Math.sin(i * Math.PI / 4), far]);
        }
        dots.forEach(([dx, dy], i) => {
          let best, least = Infinity;
          for (const [ax, ay, far] of around) {
            const px = dx + ax, py = dy + ay;
            let cost = far * 0.02;
            for (const [sx, sy] of spots) cost += 2 * Math.max(0, 1.3 - Math.hypot(px - sx, py - sy) / size);
            dots.forEach(([ox, oy], j) => {                  // and nearer to its own dot than to another
              if (i !== j) cost += Math.max(0, 1.2 * far * f - Math.hypot(px - ox, py - oy)) / f;
            });
            if (px < size / 2 || px > width - size / 2 || py < size / 2 || py > high - size / 2) cost += 5;
            if (cost < least) { least = cost; best = [px, py, far]; }
          }
          spots.push(best);
        });
        tokens.forEach((token, i) => {
          const vowel = isVowel(live.letters[token]), [dx, dy] = dots[i], [px, py, far] = spots[i];
          if (far > 0.8) nodes.push(shape("path", { d: `M${dx} ${dy}L${dx + (px - dx) * 0.6} ${dy + (py - dy) * 0.6}`, class: "leader" }));
          nodes.push(text(px, py, label(token), `mono center middle halo ${vowel ? "accent strong" : ""}`));
        });
        tokens.forEach((token, i) => {                       // over the halos of the letters
          nodes.push(shape("circle", { cx: dots[i][0], cy: dots[i][1], r, class: isVowel(live.letters[token]) ? "dot vowel" : "dot" }));
        });
        const near = i => tokens.map((_, j) => j).filter(j => j !== i)
          .map(j => [rows[i].reduce((sum, value, k) => sum + (value - rows[j][k]) ** 2, 0), j])
          .sort((a, b) => a[0] - b[0]).slice(0, 4).map(([d, j]) => `${label(tokens[j])} ${Math.sqrt(d).toFixed(2)}`);
        const tell = (row, i) => row === 0 && tokens[i] !== undefined && {
          text: `${label(tokens[i])} at (${number(places[i][0] || 0, 2)}, ${number(places[i][1] || 0, 2)})` +
                (tokens.length > 1 ? `; nearest in all ${n} numbers: ${near(i).join(", ")}` : ""),
          box: [spots[i][0] - 0.6 * f, spots[i][1] - 0.65 * f, 1.2 * f, 1.3 * f],
        };
        return {
          width, height: high, nodes, tell,
          label: `Map of ${tokens.length} letters by two principal components of their embeddings, ${time(step)}`,
          rest: `Of the spread in ${n} directions, ${percent(shares[0])} lie along the map, ${percent(shares[1] || 0)} across it.` +
                (tokens.length < live.letters.length ? ` The ${tokens.length} most frequent of ${whole(live.letters.length)} letters are drawn.` : ""),
          at: (px, py) => {
            let best = null, least = 1.5 * f;
            spots.forEach(([sx, sy], i) => {
              const d = Math.min(Math.hypot(px - sx, py - sy), Math.hypot(px - dots[i][0], py - dots[i][1]));
              if (d < least) { least = d; best = [0, i]; }
            });
            return best;
          },
        };
      },
    });
    const vowels = element("p", { class: "more" });
    right.append(caption("The letters by two principal components of their embeddings, the rows of token: the two directions " +
                          "in which they differ most."), vowels);
    follow(() => {
      const found = drawn().filter(token => isVowel(live.letters[token])).map(label);
      vowels.textContent = found.length ? `Vowels are green, their dots filled: ${found.join(" ")}.` : "";
    });
  }

  // -- Own data -------------------------------------------------------------------------------------------------------
  function ownData(section) {
    const area = element("textarea", { rows: 5, "aria-label": "a text, one item a line", spellcheck: "false",
                                       placeholder: "one item a line" });
    const status = element("p", { class: "what", role: "status" });
    const file = element("input", { type: "file", accept: ".txt,.csv,text/*", "aria-label": "a text file, one item a line" });
    const back = button("Back to the lecture's names", () => {
      lecture();
      status.textContent = "The model is again that of the lecture, untrained.";
      back.hidden = true;
    });
    back.hidden = true;
    function learn(words) {
      const found = Model.read(words, live.data.knobs.seed);
      if (found.problem) { status.textContent = found.problem; return; }
      learnFrom({ ...found, own: true });
      back.hidden = false;
      const count = (n, one, many) => `${whole(n)} ${n === 1 ? one : many}`;
      const shown = live.docs.slice(0, 5).map(doc => `“${short(doc)}”`).join(", ");
      status.textContent = `It learns from ${count(live.docs.length, "item", "items")} with ${count(live.letters.length, "letter", "different letters")}: ` +
                           shown + (live.docs.length > 5 ? ", …" : ".");
      toggleTraining();
      if (document.documentElement.dataset.lecture === "1" && typeof View !== "undefined" && View.go) View.go("9.loss");
    }
    async function learnFile(given) {
      if (!given) return;
      if (given.size > 4000000) { status.textContent = `This file has ${whole(given.size)} bytes; the page takes at most 4,000,000.`; return; }
      try {
        learn(new TextDecoder("utf-8", { fatal: true }).decode(await given.arrayBuffer()));
      } catch (problem) {
        status.textContent = "This file cannot be read as UTF-8 text.";
      }
    }
    file.addEventListener("change", () => learnFile(file.files[0]));
    leave(area, "Escape");
    area.addEventListener("paste", event => {                // a long text is learned at once: to show it would take long
      const words = event.clipboardData.getData("text/plain");
      if (words.length <= LONG) return;
      event.preventDefault();
      learn(words);
    });
    section.addEventListener("dragover", event => { event.preventDefault(); section.classList.add("over"); });
    section.addEventListener("dragleave", () => section.classList.remove("over"));
    section.addEventListener("drop", event => {
      event.preventDefault();
      section.classList.remove("over");
      if (event.dataTransfer.files.length) learnFile(event.dataTransfer.files[0]);
      else learn(event.dataTransfer.getData("text/plain"));
    });
    section.append(
      element("p", {}, "Paste a text, one item a line, in any alphabet, or drop a file here. The model starts again, " +
                       "untrained, and learns it; every picture shows that model. Nothing leaves this machine."),
      area, controls(button("Learn this", () => learn(area.value), { class: "learn" }), element("label", {}, "or a file ", file), back), status);
  }

  function lecture() {
    const { docs, letters, untrained } = live.data;
    learnFrom({ docs: docs.split("\n"), letters, untrained: Float64Array.from(untrained), own: false });
  }

  function addKey(key, description, handler) {
    if (typeof View !== "undefined" && View.addKey) return View.addKey(key, description, handler);
    document.addEventListener("keydown", event => {
      if (event.key === key && !event.ctrlKey && !event.metaKey && !event.altKey &&
          !event.target.closest("input, textarea, select, [contenteditable]")) handler(event);
    });
  }

  function mountAll(data) {
    live.data = data;
    live.goal = Math.max(1, Math.min(10000, data.knobs.steps));
    live.temperature = data.knobs.temperature;
    lecture();
    const kinds = { graph, matrices, path, loss, attention, odds, map, "own-data": ownData };
    for (const place of document.querySelectorAll("[data-picture]")) {
      const kind = kinds[place.dataset.picture];
      if (kind) kind(place);
    }
    document.addEventListener("view:change", () => { for (const picture of pictures) picture.dirty(); });
  }

  return { mountAll, live };
})();
