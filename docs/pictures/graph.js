// Section 3: the graph of any expression of Values, walked back one node at a time. Its leaves can be dragged.

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

// Rows for the nodes: a leaf has its own, a result stands beside its lowest child, and nothing overlaps.
function layout(nodes) {
  const depth = new Map();
  for (const { value } of nodes) {
    depth.set(
      value,
      value.edges.length ? 1 + Math.max(...value.edges.map(([c]) => depth.get(c))) : 0,
    );
  }
  const row = new Map();
  const taken = new Set();
  let leaves = 0;
  for (const { value } of nodes) {
    const column = depth.get(value);
    let at = column ? Math.max(...value.edges.map(([c]) => row.get(c))) : leaves++;
    if (column > 1 && value.edges.length > 1)
      at = Math.min(...value.edges.map(([c]) => row.get(c)));
    while (taken.has(`${column} ${at}`)) at++;
    taken.add(`${column} ${at}`);
    row.set(value, at);
  }
  return { depth, row };
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
    if (found.problem) return;
    made = { ...found, ...layout(found.nodes) };
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
      const { nodes, root, depth, row } = made;
      const grad = state();
      const deepest = depth.get(root) || 1;
      width = Math.min(width, (deepest + 1) * 11 * f);
      const w = Math.min(6.8 * f, (width / (deepest + 1)) * 0.72);
      const h = 3.7 * f;
      const x = (value) => (depth.get(value) * (width - w - 2)) / deepest + 1;
      const y = (value) => row.get(value) * 4.9 * f + 0.3 * f;
      const active = walked > 0 ? made.results[walked - 1] : walked === 0 ? root : null;
      const drawn = [];
      for (const { value } of nodes) {
        value.edges.forEach(([child, slope], i) => {
          const twice = value.edges[0][0] === value.edges[1]?.[0] ? (i ? 0.9 : -0.9) * f : 0;
          const [x1, y1] = [x(child) + w, y(child) + h / 2 + twice];
          const [x2, y2] = [x(value), y(value) + h / 2 + twice];
          const bend = (x2 - x1) / 2;
          const lit = value === active && walked > 0;
          const d = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
          drawn.push(shape("path", { d, class: lit ? "edge active" : "edge" }));
          const t = depth.get(value) - depth.get(child) > 1 ? 0.4 : 0.5;
          const u = 1 - t;
          const px =
            u ** 3 * x1 + 3 * u * u * t * (x1 + bend) + 3 * u * t * t * (x2 - bend) + t ** 3 * x2;
          const py = u ** 3 * y1 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t ** 3 * y2;
          const kind = lit ? "gradient" : "muted";
          drawn.push(
            text(
              px,
              py - 0.1 * f,
              `×${plain(slope)}`,
              `center middle halo wide mono small ${kind}`,
            ),
          );
        });
      }
      for (const node of nodes) {
        const { value } = node;
        const done = walked >= 0 && grad.get(value) !== 0;
        const leaf = !value.edges.length && node.label in leaves;
        const middle = x(value) + w / 2;
        const long = node.label.length > 11 ? `${node.label.slice(0, 10)}…` : node.label;
        const kind = `node${value === active ? " active" : ""}${leaf ? " leaf" : ""}`;
        drawn.push(
          shape("rect", {
            x: x(value),
            y: y(value),
            width: w,
            height: h,
            rx: 0.3 * f,
            class: kind,
          }),
          text(middle, y(value) + 0.95 * f, long, "mono center middle small"),
          text(
            middle,
            y(value) + 1.95 * f,
            `data ${plain(value.data)}`,
            "center middle tensor small",
          ),
          text(
            middle,
            y(value) + 2.9 * f,
            `grad ${plain(grad.get(value))}`,
            `center middle small ${done ? "gradient" : "muted"}`,
          ),
        );
      }
      const find = (px, py) =>
        nodes.findIndex(
          ({ value: v }) => px >= x(v) && px <= x(v) + w && py >= y(v) && py <= y(v) + h,
        );
      return {
        width,
        height: Math.max(...row.values()) * 4.9 * f + h + 0.6 * f,
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
            box: [x(value) - 2, y(value) - 2, w + 4, h + 4],
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
