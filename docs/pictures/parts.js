// Section 9: what each part buys, from docs/parts.json: the mean loss of every tenth of a training.

import { recorded } from "../model/live.js";
import { caption, controls } from "./controls.js";
import { element, number, shape, text, whole } from "./draw.js";
import { Picture } from "./picture.js";

const LOW = 2.35; // the axis of the losses
const HIGH = 3.35;

export function parts(figure) {
  const lengths = Object.keys(recorded.parts);
  const length = element("select", { "aria-label": "length of the trainings" });
  length.append(...lengths.map((n) => element("option", { value: n }, `${whole(+n)} steps`)));
  length.value = lengths[lengths.length - 1]; // after a short training the order is mostly chance
  figure.append(controls(element("label", {}, "after ", length)));
  let chosen = null; // by a click
  let pointed = null; // by the pointer or the keys
  const picture = new Picture(figure, {
    name: "parts",
    hint: "Point at a line, or its name, to single it out and read it; a click keeps it.",
    draw(width, f) {
      const each = Object.entries(recorded.parts[length.value]).map(([name, { tenths }]) => ({
        name,
        tenths,
      }));
      each.sort((a, b) => b.tenths[9] - a.tenths[9]);
      width = Math.min(width, 46 * f);
      const from = 2.6 * f;
      const to = width - Math.min(19 * f, 0.58 * width);
      const said = ({ name, tenths }) =>
        `${number(tenths[9], 3)} ${width < 30 * f ? name.replace("plain gradient ", "") : name}`;
      const longest = Math.max(...each.map((row) => said(row).length));
      const size = Math.min(0.82 * f, (width - to - f) / (0.6 * longest));
      const top = 0.8 * f;
      const bottom = Math.max(1.25 * f * each.length, 16 * f);
      const x = (tenth) => from + (tenth / 9) * (to - from);
      const y = (loss) => bottom - ((Math.min(loss, HIGH) - LOW) / (HIGH - LOW)) * (bottom - top);
      const nodes = [];
      for (let loss = 2.4; loss < HIGH; loss += 0.2) {
        nodes.push(shape("path", { d: `M${from} ${y(loss)}H${to}`, class: "grid" }));
        nodes.push(text(from - 0.4 * f, y(loss), loss.toFixed(1), "end middle muted small"));
      }
      for (let tenth = 0; tenth < 10; tenth++) {
        nodes.push(text(x(tenth), bottom + 1.2 * f, String(tenth + 1), "center muted small"));
      }
      nodes.push(
        text((from + to) / 2, bottom + 2.4 * f, "tenth of the training", "center muted small"),
      );
      let free = -Infinity;
      each.forEach((row, i) => {
        const rest = each.length - 1 - i;
        free = Math.max(
          free + 1.2 * f,
          Math.min(y(row.tenths[9]), bottom + 0.4 * f - rest * 1.2 * f),
        );
        row.place = free;
        const one = chosen ?? pointed;
        const lit = one === null || one === i;
        const kind = row.name === "the whole" ? "mean" : "variant";
        const d =
          "M" + row.tenths.map((loss, t) => `${x(t).toFixed(1)} ${y(loss).toFixed(1)}`).join("L");
        nodes.push(
          shape("path", {
            d,
            class: `${kind}${lit ? "" : " dimmed"}${one === i ? " chosen" : ""}`,
          }),
          shape("path", {
            d: `M${to} ${y(row.tenths[9])}L${to + 0.8 * f} ${row.place}`,
            class: "leader",
          }),
          text(
            to + f,
            row.place,
            said(row),
            `middle ${lit ? "" : "dimmed"} ${row.name === "the whole" ? "strong" : ""}`,
            size,
          ),
        );
      });
      return {
        width,
        height: bottom + 3.4 * f,
        nodes,
        label: `What each part buys after ${whole(+length.value)} steps: the mean loss of every tenth, for ${each.length} models`,
        at: (px, py) => {
          let best = null;
          let least = 1.2 * f;
          each.forEach((row, i) => {
            const t = Math.max(0, Math.min(9, Math.round(((px - from) / (to - from)) * 9)));
            const d = px > to ? Math.abs(row.place - py) : Math.abs(y(row.tenths[t]) - py);
            if (d < least) [least, best] = [d, [i, px > to ? 9 : t]];
          });
          return best;
        },
        tell: (i, t) =>
          each[i] &&
          t >= 0 &&
          t < 10 && {
            text: `${each[i].name}: mean loss ${number(each[i].tenths[t], 3)} in tenth ${t + 1}.`,
            box: [x(t) - 0.4 * f, y(each[i].tenths[t]) - 0.4 * f, 0.8 * f, 0.8 * f],
          },
        look: (i) => {
          if (i === pointed) return;
          pointed = i;
          picture.dirty();
        },
        pick: (i) => {
          chosen = chosen === i ? null : i;
          picture.dirty();
        },
        unpick: () => {
          const was = chosen;
          chosen = null;
          picture.dirty();
          return was !== null;
        },
      };
    },
  });
  length.addEventListener("change", () => {
    chosen = null;
    picture.dirty();
  });
  figure.append(
    caption(
      "The lecture's names in the same order, learned by the whole model, by models that lack a part, and by tables of " +
        "counts, which also learn name by name. Where two differ by less than 0.01, another seed " +
        "can change their order.",
    ),
  );
}
