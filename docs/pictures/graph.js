// Section 3: the graph of any expression of Values, walked back one node at a time. Its leaves can be dragged.

import { graphlib, layout as arrange } from "@dagrejs/dagre";
import { recorded } from "../model/live.js";
import { evaluate } from "../model/expression.js";
import { button, caption, controls, leave } from "./controls.js";
import { element, plain, shape, text } from "./draw.js";
import { Picture } from "./picture.js";

const PRESETS = [
  "a * b + a",
  "h = a + a; h + h",
  "h = 2 * a; g = 3 * h; g + h",
  "(a - b) ** 2",
  "(a * b).relu() + log(b)",
];

const LONGEST = 26; // letters of a label that are shown
const HEIGHT = 3.7; // of a box; all sizes are in the size of its type
const lines = ({ label, value }, grad) => [
  label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label,
  `data ${plain(value.data)}`,
  `grad ${plain(grad.get(value))}`,
];

// Where the boxes and the edges stand, from left to right. No edge goes behind a box, and no number under one.
function layout(nodes, widths) {
  const made = new graphlib.Graph({ multigraph: true });
  made.setGraph({
    rankdir: "LR",
    nodesep: 1.1,
    edgesep: 0.9,
    ranksep: 1.2,
    marginx: 0.3,
    marginy: 0.4,
  });
  made.setDefaultNodeLabel(() => ({}));
  nodes.forEach((node, i) => made.setNode(String(i), { width: widths[i], height: HEIGHT }));
  const place = new Map(nodes.map(({ value }, i) => [value, String(i)]));
  for (const { value } of nodes)
    value.edges.forEach(([child, slope], k) => {
      const width = 0.62 * plain(slope).length + 1.2;
      const edge = { width, height: 1.1, labelpos: "c" };
      made.setEdge(place.get(child), place.get(value), edge, String(k));
    });
  arrange(made);
  return {
    size: made.graph(),
    box: (i) => made.node(String(i)),
    edge: (value, k) => made.edge(place.get(value.edges[k][0]), place.get(value), String(k)),
  };
}

// A smooth way through these points.
function way(points, f) {
  const at = ({ x, y }) => `${(x * f).toFixed(2)} ${(y * f).toFixed(2)}`;
  const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  let d = `M${at(points[0])}`;
  for (let i = 1; i < points.length - 1; i++) {
    const to = i === points.length - 2 ? points[i + 1] : middle(points[i], points[i + 1]);
    d += `Q${at(points[i])} ${at(to)}`;
  }
  return points.length > 2 ? d : `${d}L${at(points[1])}`;
}

export function graph(figure) {
  const leaves = {};
  let made;
  let ready = false; // is there a picture yet?
  let walked = -1; // -1: not begun; 0: the root has its 1; then one node each

  const field = element("input", {
    type: "text",
    size: 26,
    spellcheck: "false",
    autocomplete: "off",
  });
  field.setAttribute("aria-label", "an expression of Values");
  field.setAttribute("autocapitalize", "off");
  const problem = element("span", { class: "remark", role: "status" });
  const preset = element("select", { "aria-label": "examples" });
  preset.append(...["examples", ...PRESETS].map((words) => element("option", {}, words)));
  preset.addEventListener("change", () => {
    field.value = preset.value;
    preset.selectedIndex = 0;
    read(true);
  });
  field.addEventListener("input", () => read(true));
  leave(field, "Enter", "Escape");

  // The recorded example is shown with the numbers that the lecture has.
  for (const { label, data, edges } of recorded.graph) if (!edges.length) leaves[label] = data;
  field.value = recorded.graph[recorded.graph.length - 1].label;

  function read(anew) {
    const found = evaluate(field.value, leaves);
    problem.textContent = found.problem ? `${found.problem} ` : "";
    figure.classList.toggle("refused", Boolean(found.problem));
    if (found.problem) return;
    made = found;
    made.results = found.nodes
      .map(({ value }) => value)
      .filter((value) => value.edges.length)
      .reverse();
    if (anew) go(-1);
    else go(walked);
  }
  function state() {
    const grad = new Map(made.nodes.map(({ value }) => [value, 0]));
    if (walked >= 0) grad.set(made.root, 1);
    for (const node of made.results.slice(0, Math.max(0, walked))) {
      for (const [child, slope] of node.edges)
        grad.set(child, grad.get(child) + slope * grad.get(node));
    }
    return grad;
  }
  const label = (value) => made.nodes.find((node) => node.value === value).label;
  function sentence() {
    const root = label(made.root);
    if (walked < 0) return "The data, in blue, have been computed. Every gradient is still 0.";
    if (walked === 0) return `${root} grows as fast as itself: its gradient is 1.`;
    const node = made.results[walked - 1];
    const grad = state();
    const share = ([child, slope]) =>
      `${label(child)} gets ${plain(slope)} × ${plain(grad.get(node))}`;
    const sum = ([child]) => `${label(child)} has now ${plain(grad.get(child))}`;
    return (
      `${label(node)} passes its gradient ${plain(grad.get(node))} on: ${node.edges.map(share).join(", ")}. ` +
      `${[...new Set(node.edges.map(sum))].join(", ")}.` +
      (walked === made.results.length ? " That was the last: all gradients are complete." : "")
    );
  }
  function go(to) {
    walked = Math.max(-1, Math.min(made.results.length, to));
    back.disabled = walked === made.results.length;
    undo.disabled = walked === -1;
    if (!ready) return;
    picture.show(null);
    picture.dirty();
  }
  const back = button("Back one node", () => go(walked + 1), { "aria-keyshortcuts": "b" });
  const undo = button("Undo", () => go(walked - 1));
  const whole = button("All the way", () => go(made.results.length));
  const typed = element("label", {}, "expression ", field);
  figure.append(
    controls(typed, preset, problem),
    controls(
      back,
      undo,
      whole,
      button("From the start", () => go(-1)),
    ),
  );

  read(true);

  function set(node, to) {
    leaves[node.label] = Math.round(Math.max(-9, Math.min(9, to)) * 10) / 10;
    read(false);
  }
  const picture = new Picture(figure, {
    name: "graph",
    hint: sentence(),
    draw(width, f) {
      const { nodes, root } = made;
      const grad = state();
      const widths = nodes.map((node) => {
        const [name, ...numbers] = lines(node, grad).map((line) => line.length);
        return Math.max(5.4, 0.56 * name + 1.2, 0.46 * Math.max(...numbers) + 1);
      });
      const placed = layout(nodes, widths);
      const active = walked > 0 ? made.results[walked - 1] : walked === 0 ? root : null;
      const drawn = [];
      for (const { value } of nodes) {
        const lit = value === active && walked > 0;
        value.edges.forEach(([, slope], k) => {
          const { points, x, y } = placed.edge(value, k);
          drawn.push(
            shape("path", { d: way(points, f), class: lit ? "edge active" : "edge" }),
            text(
              x * f,
              y * f,
              `×${plain(slope)}`,
              `center middle halo wide mono small ${lit ? "gradient" : "muted"}`,
            ),
          );
        });
      }
      const boxes = nodes.map((_, i) => {
        const { x, y, width: w, height: h } = placed.box(i);
        return [(x - w / 2) * f, (y - h / 2) * f, w * f, h * f];
      });
      nodes.forEach((node, i) => {
        const { value } = node;
        const [x, y, w, h] = boxes[i];
        const done = walked >= 0 && grad.get(value) !== 0;
        const leaf = !value.edges.length && node.label in leaves;
        const kind = `node${value === active ? " active" : ""}${leaf ? " leaf" : ""}`;
        const [name, data, gradient] = lines(node, grad);
        const middle = x + w / 2;
        drawn.push(
          shape("rect", { x, y, width: w, height: h, rx: 0.3 * f, class: kind }),
          text(middle, y + 0.95 * f, name, "mono center middle small"),
          text(middle, y + 1.95 * f, data, "center middle tensor small"),
          text(middle, y + 2.9 * f, gradient, `center middle small ${done ? "gradient" : "muted"}`),
        );
      });
      const find = (px, py) =>
        boxes.findIndex(([x, y, w, h]) => px >= x && px <= x + w && py >= y && py <= y + h);
      return {
        width: placed.size.width * f,
        height: placed.size.height * f,
        most: width,
        nodes: drawn,
        rest: sentence(),
        label:
          `Graph of ${label(root)}: ` +
          nodes
            .map(
              (n) =>
                `${n.label} has data ${plain(n.value.data)} and gradient ${plain(grad.get(n.value))}`,
            )
            .join("; "),
        at: (px, py) => {
          const i = find(px, py);
          return i < 0 ? null : [i, 0];
        },
        tell: (i) => {
          const node = nodes[i];
          if (!node) return null;
          const { value } = node;
          const from = value.edges.map(
            ([child, slope]) => `${label(child)} (local gradient ${plain(slope)})`,
          );
          const origin = from.length
            ? `Computed from ${from.join(" and ")}.`
            : node.label in leaves
              ? "A leaf: it has no edges. Drag it, or press + and −, to change it."
              : "A constant.";
          return {
            text: `${node.label}: data ${plain(value.data)}, gradient ${plain(grad.get(value))}. ${origin}`,
            box: boxes[i].map((at, k) => at + [-2, -2, 4, 4][k]),
          };
        },
        grab: (px, py) => {
          const node = nodes[find(px, py)];
          if (!node || !(node.label in leaves)) return null;
          const begin = leaves[node.label];
          return (now) => set(node, begin + (now - px) / (2 * f));
        },
      };
    },
    key(event) {
      const node = picture.cursor && made.nodes[picture.cursor[0]];
      const by = { "+": 0.1, "=": 0.1, "-": -0.1 }[event.key];
      if (event.key === "ArrowLeft") go(walked + 1);
      else if (event.key === "ArrowRight") go(walked - 1);
      else if (by && node && node.label in leaves) {
        const { cursor } = picture;
        set(node, leaves[node.label] + by);
        picture.cursor = cursor;
      } else return false;
      return true;
    },
  });
  ready = true;
  figure.append(
    caption(
      "On every edge stands its local gradient. backward() goes from right to left, from the last Value made to " +
        "the first. Along a path we multiply, and where paths meet we add up. Type any expression of + - * / **, exp, " +
        "log and relu; a semicolon parts assignments. Leaves can be dragged.",
    ),
  );
  return {
    back: () => go(walked === made.results.length ? -1 : walked + 1),
    state: () => [...state().values()],
  };
}
