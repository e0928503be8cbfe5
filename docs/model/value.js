// Section 3 of microgpt.py: numbers that remember what they were made from, and a GPT that is built of them.

let counter = 0;

export class Value {
  constructor(data, edges = []) {
    Object.assign(this, { data, edges, grad: 0, order: counter++ });
  }
  add(other) {
    other = value(other);
    return new Value(this.data + other.data, [
      [this, 1],
      [other, 1],
    ]);
  }
  mul(other) {
    other = value(other);
    return new Value(this.data * other.data, [
      [this, other.data],
      [other, this.data],
    ]);
  }
  pow(power) {
    const slope = power ? power * this.data ** (power - 1) : 0;
    return new Value(this.data ** power, [[this, slope]]);
  }
  exp() {
    return new Value(Math.exp(this.data), [[this, Math.exp(this.data)]]);
  }
  log() {
    return new Value(Math.log(this.data), [[this, 1 / this.data]]);
  }
  relu() {
    return new Value(Math.max(this.data, 0), [[this, this.data > 0 ? 1 : 0]]);
  }
  neg() {
    return this.mul(-1);
  }
  sub(other) {
    return this.add(value(other).neg());
  }
  div(other) {
    return this.mul(value(other).pow(-1));
  }

  // All that this was made from, in the order in which it was made.
  graph() {
    const found = new Set([this]);
    for (const node of found) for (const [child] of node.edges) found.add(child);
    return [...found].sort((a, b) => a.order - b.order);
  }
  backward() {
    const nodes = this.graph();
    for (const node of nodes) if (node.edges.length) node.grad = 0;
    this.grad = 1;
    for (const node of nodes.reverse()) {
      for (const [child, slope] of node.edges) child.grad += slope * node.grad;
    }
  }
}

const value = (number) => (number instanceof Value ? number : new Value(number));

function dot(x, y) {
  let total = 0;
  const edges = [];
  for (let i = 0; i < x.length; i++) {
    total += x[i].data * y[i].data;
    edges.push([x[i], y[i].data], [y[i], x[i].data]);
  }
  return new Value(total, edges);
}
const add = (x, y) => x.map((xi, i) => xi.add(y[i]));
const linear = (x, w) => w.map((row) => dot(x, row));
function softmax(scores) {
  const largest = Math.max(...scores.map((score) => score.data));
  const exps = scores.map((score) => score.sub(largest).exp());
  const total = exps.reduce((sum, each) => sum.add(each));
  return exps.map((each) => each.div(total));
}
function rmsnorm(x) {
  const scale = dot(x, x).div(x.length).add(1e-5).pow(-0.5);
  return x.map((xi) => xi.mul(scale));
}

// The loss and all gradients of one name, by autograd. gpt tells the shapes.
export function autograd(gpt, numbers, tokens) {
  const { layers, width, heads, block } = gpt;
  const params = Array.from(numbers, (number) => new Value(number));
  const w = {};
  let from = 0;
  for (const [name, rows, columns] of gpt.shapes) {
    w[name] = Array.from({ length: rows }, () => params.slice(from, (from += columns)));
  }
  const share = width / heads;
  const cache = Array.from({ length: layers }, () => [[], []]);
  const surprises = [];
  for (let t = 0; t < Math.min(block, tokens.length - 1); t++) {
    let x = rmsnorm(add(w.token[tokens[t]], w.position[t]));
    cache.forEach(([keys, values], layer) => {
      const n = rmsnorm(x);
      const query = linear(n, w[`query ${layer}`]);
      keys.push(linear(n, w[`key ${layer}`]));
      values.push(linear(n, w[`value ${layer}`]));
      const heard = [];
      for (let start = 0; start < width; start += share) {
        const slice = (row) => row.slice(start, start + share);
        const scores = keys.map((key) => dot(slice(query), slice(key)).div(Math.sqrt(share)));
        const weights = softmax(scores);
        for (let i = start; i < start + share; i++) {
          heard.push(
            dot(
              weights,
              values.map((row) => row[i]),
            ),
          );
        }
      }
      x = add(x, linear(heard, w[`output ${layer}`]));
      const hidden = linear(rmsnorm(x), w[`up ${layer}`]).map((match) => match.relu());
      x = add(x, linear(hidden, w[`down ${layer}`]));
    });
    const probs = softmax(linear(x, w.lm_head));
    surprises.push(probs[tokens[t + 1]].pow(-1).log());
  }
  const loss = surprises.reduce((sum, each) => sum.add(each)).div(surprises.length);
  loss.backward();
  return { loss: loss.data, gradients: params.map((param) => param.grad) };
}
