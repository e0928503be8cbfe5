// What the page learns from: a text of one item a line.

import { dice, shuffle } from "./chance.js";

const MOST_TEXT = 1000000; // characters that the page agrees to learn from
const MOST_LETTERS = 5000;
// eslint-disable-next-line no-control-regex
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/; // what Python strips
function strip(line) {
  let from = 0,
    to = line.length;
  while (from < to && SPACE.test(line[from])) from++;
  while (to > from && SPACE.test(line[to - 1])) to--;
  return line.slice(from, to);
}

// A text of one item a line -> {docs, letters}, or {problem}, a sentence. Letters are code points, as in Python.
export function read(text, seed) {
  if (text.length > MOST_TEXT) {
    return {
      problem:
        `This text has ${text.length.toLocaleString("en")} characters; the page takes at most ` +
        `${MOST_TEXT.toLocaleString("en")}.`,
    };
  }
  const docs = text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)
    .map(strip)
    .filter(Boolean);
  if (!docs.length)
    return { problem: "There is nothing to learn from: this text has no letter in any line." };
  const found = new Set();
  for (const doc of docs) for (const letter of doc) found.add(letter);
  if (found.size > MOST_LETTERS) {
    return {
      problem:
        `This text has ${found.size.toLocaleString("en")} different letters; the page takes at most ` +
        `${MOST_LETTERS.toLocaleString("en")}.`,
    };
  }
  const letters = [...found].sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
  return { docs: shuffle(docs, dice(seed)), letters };
}

// Encodes a name, no more of it than the block can use.
export function encoder(letters, block) {
  const tokens = new Map(letters.map((letter, token) => [letter, token])),
    BOS = letters.length;
  return (name) => {
    const coded = [BOS];
    for (const letter of name) {
      if (coded.length > block) return coded; // cut: no more than block tokens are looked at
      coded.push(tokens.get(letter));
    }
    coded.push(BOS);
    return coded;
  };
}
