// An expression of Values, such as "h = a + a; h + h", read as Python reads it. Its letters are leaves.

import { Value } from "./value.js";

const FUNCTIONS = ["exp", "log", "relu"];
const MOST = 40; // nodes of a graph that can still be drawn

// -> { root, nodes: [{ value, label }] } in the order in which they were made, or { problem }, a sentence.
export function evaluate(text, leaves) {
  const words = text.match(/\d+\.?\d*(?:e-?\d+)?|\w+|\*\*|[-+*/()=;.]|\S/g) || [];
  const known = new Map(); // name -> Value
  const labels = new Map(); // Value -> how it is written
  let at = 0;
  const peek = () => words[at];
  const take = (word) => peek() === word && ++at > 0;
  const fail = (what) => {
    throw new SyntaxError(what);
  };
  const expect = (word) => take(word) || fail(`"${word}" is missing before ${end()}.`);
  const end = () => (peek() === undefined ? "the end" : `"${peek()}"`);
  const named = (made, words_) => {
    if (!labels.has(made)) labels.set(made, words_);
    return made;
  };
  const show = (made) => labels.get(made);
  const inner = (made) =>
    /^[\w.]+(\([^()]*\))?$|^-?[\d.]+$/.test(show(made)) ? show(made) : `(${show(made)})`;

  // What the operators make on their own: -b is b * -1, and / b is b ** -1.
  function unwritten({ data, edges }) {
    if (!edges.length) return String(data).replace("-", "−");
    return edges.length === 1 ? `${inner(edges[0][0])} ** -1` : `-${inner(edges[0][0])}`;
  }
  function atom() {
    const word = peek();
    if (take("(")) {
      const made = sum();
      expect(")");
      return made;
    }
    if (word === undefined) fail("Something is missing at the end.");
    at++;
    if (/^\d/.test(word)) return named(new Value(+word), word);
    if (FUNCTIONS.includes(word) && take("(")) {
      const made = sum();
      expect(")");
      return named(made[word](), `${word}(${show(made)})`);
    }
    if (/^[a-z]\w*$/i.test(word) && peek() === "(")
      fail(`${word} is not known here; there are exp, log and relu.`);
    if (!/^[a-z]\w*$/i.test(word)) fail(`"${word}" cannot stand here.`);
    if (!known.has(word)) {
      if (!(word in leaves)) leaves[word] = [2, 3, -1, 0.5, 4][Object.keys(leaves).length % 5];
      known.set(word, named(new Value(leaves[word]), word));
    }
    return known.get(word);
  }
  function postfix() {
    let made = atom();
    while (take(".")) {
      const word = words[at++];
      if (!FUNCTIONS.includes(word)) fail(`Value has no "${word}".`);
      expect("(");
      expect(")");
      made = named(made[word](), `${inner(made)}.${word}()`);
    }
    return made;
  }
  function power() {
    const base = postfix();
    if (!take("**")) return base;
    const sign = take("-") ? -1 : 1;
    const word = words[at++];
    if (!/^\d/.test(word ?? "")) fail("The power must be a plain number, as in a ** 2.");
    return named(base.pow(sign * +word), `${inner(base)} ** ${sign < 0 ? "-" : ""}${word}`);
  }
  function unary() {
    if (!take("-")) return power();
    const made = unary();
    return named(made.neg(), `-${inner(made)}`);
  }
  function product() {
    let made = unary();
    for (;;) {
      const sign = ["*", "/"].find(take);
      if (!sign) return made;
      const other = unary();
      const words_ = `${inner(made)} ${sign} ${inner(other)}`;
      made = named(sign === "*" ? made.mul(other) : made.div(other), words_);
    }
  }
  function sum() {
    let made = product();
    for (;;) {
      const sign = ["+", "-"].find(take);
      if (!sign) return made;
      const other = product();
      const words_ = `${show(made)} ${sign} ${sign === "-" ? inner(other) : show(other)}`;
      made = named(sign === "+" ? made.add(other) : made.sub(other), words_);
    }
  }

  try {
    let root;
    do {
      if (peek() === undefined && root) break;
      const name = words[at + 1] === "=" ? words[at] : null;
      if (name) at += 2;
      root = sum();
      if (name) {
        known.set(name, root);
        if (root.edges.length) labels.set(root, name);
      }
    } while (take(";"));
    if (peek() !== undefined) fail(`${end()} cannot stand here.`);
    const nodes = root.graph().map((value) => {
      if (!labels.has(value)) named(value, unwritten(value));
      return { value, label: show(value) };
    });
    if (nodes.length > MOST)
      fail(`This graph has ${nodes.length} nodes; at most ${MOST} can be drawn.`);
    const finite = ({ data }) => Number.isFinite(data);
    const bad = nodes.find(
      ({ value }) => !finite(value) && value.edges.every(([child]) => finite(child)),
    );
    if (bad)
      fail(
        `${bad.label} ${Number.isNaN(bad.value.data) ? "does not exist" : "is too large"} here.`,
      );
    return { root, nodes };
  } catch (problem) {
    if (problem instanceof SyntaxError) return { problem: problem.message };
    throw problem;
  }
}
