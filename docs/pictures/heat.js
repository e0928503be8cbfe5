// Heat maps. Cells of one strength share a path: 20 strengths of blue for numbers above 0, of red for those below.

import { number, shape, text } from "./draw.js";

export function cells(rows, columns, cell, gap, value, strength, tall = cell) {
  const paths = new Map();
  const between = Math.min(gap, cell / 4); // cells of a wide matrix may be narrower than a gap
  const w = (cell - between).toFixed(2);
  const h = (tall - gap).toFixed(1);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const v = value(r, c);
      if (v === undefined) continue;
      const level = Math.round(20 * Math.min(1, strength(Math.abs(v))));
      const key = `${v < 0 ? "below" : "above"} ${level}`;
      const d = `M${(c * cell).toFixed(1)} ${(r * tall).toFixed(1)}h${w}v${h}h-${w}z`;
      paths.set(key, (paths.get(key) || "") + d);
    }
  }
  return [...paths].map(([key, d]) => {
    const [sign, level] = key.split(" ");
    return shape("path", {
      d,
      class: +level ? `cell ${sign}` : "cell none",
      "fill-opacity": +level ? level / 20 : undefined,
    });
  });
}

const MOST = 16; // rows in one block, if there is room for several side by side

// A matrix as a heat map, many rows in blocks side by side. scale: the size of a number that has the full colour;
// larger ones have it, too.
export function heat(width, f, { rows, columns, value, scale, signed = true, ...words }) {
  const { rowLabel, columnLabel, say, label, part } = words;
  const left = 2.6 * f;
  const top = 1.3 * f;
  const fit = Math.floor(width / (left + columns * f));
  const blocks = Math.max(1, Math.min(Math.ceil(rows / MOST), fit));
  const per = Math.ceil(rows / blocks);
  const room = width / blocks - left - 1;
  const highest = Math.max(Math.min(26 * f, 0.62 * innerHeight) / per, 0.4 * f);
  const cell = Math.max(1, Math.min(1.3 * f, room / columns, highest));
  const wide = left + columns * cell + 1;
  const gap = cell > 8 ? 1 : cell > 4 ? 0.5 : 0.2;
  const small = Math.min(0.8 * f, Math.max(0.85 * cell, 0.5 * f));
  const every = (step) => [1, 2, 4, 8, 16, 32].find((n) => n * cell >= step) || 64;
  const nodes = [];
  const down = every(0.9 * small);
  const across = every(1.9 * small);
  for (let block = 0; block < blocks; block++) {
    const first = block * per;
    const x = left + block * wide;
    nodes.push(
      shape(
        "g",
        { transform: `translate(${x.toFixed(2)} ${top.toFixed(2)})` },
        ...cells(
          Math.min(per, rows - first),
          columns,
          cell,
          gap,
          (r, c) => value(first + r, c),
          (v) => v / scale,
        ),
      ),
    );
    for (let r = 0; r < Math.min(per, rows - first); r += down) {
      const y = top + (r + 0.5) * cell;
      nodes.push(text(x - 0.5 * f, y, rowLabel(first + r), "mono end middle", small));
    }
    for (let c = 0; c < columns; c += columnLabel ? 1 : across) {
      const named = columnLabel ? columnLabel(c) : String(c);
      const middle = x + (c + 0.5) * cell;
      if (named) nodes.push(text(middle, top - 0.35 * f, named, "mono center muted", small));
    }
  }
  const legend = top + per * cell + 0.9 * f;
  const bar = Math.min(9 * f, width - left - 14 * f);
  const ramp = Array.from({ length: 21 }, (_, i) => (signed ? (i - 10) / 10 : i / 20));
  nodes.push(
    shape(
      "g",
      { transform: `translate(${(left + 4.6 * f).toFixed(2)} ${legend.toFixed(2)})` },
      ...ramp.map((v, i) =>
        shape("rect", {
          x: (i * bar) / 21,
          y: 0,
          width: bar / 21 + 0.3,
          height: 0.6 * f,
          class: v === 0 ? "cell none" : v < 0 ? "cell below" : "cell above",
          "fill-opacity": v === 0 ? undefined : Math.abs(v),
        }),
      ),
    ),
    text(
      left + 4.2 * f,
      legend + 0.35 * f,
      number(signed ? -scale : 0, 1),
      "end middle muted small",
    ),
    text(left + 5 * f + bar, legend + 0.35 * f, number(scale, 1), "middle muted small"),
  );
  const inside = (row, column) => row >= 0 && row < rows && column >= 0 && column < columns;
  return {
    width: Math.max(blocks * wide, left + 8.6 * f + bar),
    height: legend + 1.3 * f,
    label: `${label}; the full colour is ${number(scale, 1)}`,
    nodes,
    at: (x, y) => {
      const block = Math.min(blocks - 1, Math.max(0, Math.floor(x / wide)));
      const deep = Math.floor((y - top) / cell);
      const row = block * per + deep;
      const column = Math.floor((x - block * wide - left) / cell);
      return deep >= 0 && deep < per && inside(row, column) ? [row, column] : null;
    },
    tell: (row, column) =>
      inside(row, column) && {
        text: say(row, column, value(row, column)),
        box: [
          left + Math.floor(row / per) * wide + column * cell - gap / 2,
          top + (row % per) * cell - gap / 2,
          cell,
          cell,
        ],
        part,
      },
  };
}
