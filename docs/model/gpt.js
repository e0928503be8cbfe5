// The GPT of microgpt.py: its forward pass, its explicit backprop, its speech.

import {
  add,
  attentionBack,
  attentionForward,
  linearBack,
  linearForward,
  reluBack,
  reluForward,
  rmsnormBack,
  rmsnormForward,
  softmax,
} from "./layers.js";

export class GPT {
  constructor(knobs, vocab) {
    const { layers, width, heads, block } = knobs;
    Object.assign(this, { layers, width, heads, block, vocab, BOS: vocab - 1 });
    this.shapes = [
      ["token", vocab, width],
      ["position", block, width],
      ["lm_head", vocab, width],
    ];
    for (let layer = 0; layer < layers; layer++) {
      for (const role of ["query", "key", "value", "output"])
        this.shapes.push([`${role} ${layer}`, width, width]);
      this.shapes.push([`up ${layer}`, 4 * width, width], [`down ${layer}`, width, 4 * width]);
    }
    this.count = this.shapes.reduce((sum, [, rows, columns]) => sum + rows * columns, 0);
  }

  matrices(numbers) {
    // [params] -> {name: its part of them}
    const parts = {};
    let from = 0;
    for (const [name, rows, columns] of this.shapes) {
      parts[name] = numbers.subarray(from, (from += rows * columns));
    }
    return parts;
  }

  // All that the model makes of these tokens, under the names of the lecture. Logits of all tokens, or of the last.
  forward(numbers, inputs, lastOnly = false) {
    const { layers, width, heads, vocab } = this,
      T = inputs.length,
      w = this.matrices(numbers);
    const sums = new Float64Array(T * width);
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < width; j++) {
        sums[t * width + j] = w.token[inputs[t] * width + j] + w.position[t * width + j];
      }
    }
    const made = { T, w, sums, x0: rmsnormForward(sums, width), layers: [] };
    let x = made.x0;
    for (let layer = 0; layer < layers; layer++) {
      const n = rmsnormForward(x, width); // 1
      const q = linearForward(n, w[`query ${layer}`], T, width, width); // 2
      const k = linearForward(n, w[`key ${layer}`], T, width, width); // 3
      const v = linearForward(n, w[`value ${layer}`], T, width, width); // 4
      const [a, weights] = attentionForward(q, k, v, T, width, heads); // 5
      const x1 = add(x, linearForward(a, w[`output ${layer}`], T, width, width)); // 6
      const n1 = rmsnormForward(x1, width); // 7
      const hidden = reluForward(linearForward(n1, w[`up ${layer}`], T, width, 4 * width)); // 8
      const x2 = add(x1, linearForward(hidden, w[`down ${layer}`], T, 4 * width, width)); // 9
      made.layers.push({ x, n, q, k, v, a, weights, x1, n1, hidden, x2 });
      x = x2;
    }
    made.x = x;
    made.logits = lastOnly
      ? linearForward(x.subarray((T - 1) * width), w.lm_head, 1, width, vocab)
      : linearForward(x, w.lm_head, T, width, vocab);
    return made;
  }

  // The loss alone, without a backward pass.
  lossOf(numbers, tokens) {
    const T = Math.min(this.block, tokens.length - 1);
    const probs = softmax(this.forward(numbers, tokens.slice(0, T)).logits, this.vocab);
    let loss = 0;
    for (let t = 0; t < T; t++) loss -= Math.log(probs[t * this.vocab + tokens[t + 1]]) / T;
    return loss;
  }

  // [params], [BOS ... BOS] -> loss; fills in the gradients, [params].
  explicit(numbers, tokens, gradients) {
    return this.walk(numbers, tokens, gradients).loss;
  }

  // The same, and all that was made on the way forward (made) and back (back, a record for each layer).
  walk(numbers, tokens, gradients) {
    const { layers, width, heads, block, vocab } = this;
    const T = Math.min(block, tokens.length - 1);
    const inputs = tokens.slice(0, T);
    const made = this.forward(numbers, inputs);
    const w = made.w;
    gradients.fill(0);
    const dw = this.matrices(gradients);
    const dlogits = softmax(made.logits, vocab); // the probabilities; then the target's 1 is taken off
    let loss = 0;
    for (let t = 0; t < T; t++) {
      loss -= Math.log(dlogits[t * vocab + tokens[t + 1]]) / T;
      dlogits[t * vocab + tokens[t + 1]] -= 1;
    }
    for (let i = 0; i < dlogits.length; i++) dlogits[i] /= T;
    const linear = (dy, x, name, n, m) => linearBack(dy, x, w[name], T, n, m, dw[name]);
    let dx = linear(dlogits, made.x, "lm_head", width, vocab);
    const back = [];
    for (let layer = layers - 1; layer >= 0; layer--) {
      const { x, n, q, k, v, a, weights, x1, n1, hidden } = made.layers[layer];
      const dx2 = dx;
      const dhidden = linear(dx2, hidden, `down ${layer}`, 4 * width, width); // 9
      const dmatch = reluBack(dhidden, hidden); // 8
      const dn1 = linear(dmatch, n1, `up ${layer}`, width, 4 * width);
      const dx1 = add(dx2, rmsnormBack(dn1, x1, n1, width)); // 7
      const da = linear(dx1, a, `output ${layer}`, width, width); // 6
      const [dq, dk, dv] = attentionBack(da, q, k, v, weights, T, width, heads); // 5
      const dnv = linear(dv, n, `value ${layer}`, width, width); // 4
      const dnk = linear(dk, n, `key ${layer}`, width, width); // 3
      const dnq = linear(dq, n, `query ${layer}`, width, width); // 2
      const dn = add(dnq, add(dnk, dnv));
      dx = add(dx1, rmsnormBack(dn, x, n, width)); // 1
      back[layer] = { dx2, dhidden, dmatch, dn1, dx1, da, dq, dk, dv, dn, dx };
    }
    const dsums = rmsnormBack(dx, made.sums, made.x0, width);
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < width; j++) {
        dw.position[t * width + j] += dsums[t * width + j];
        dw.token[inputs[t] * width + j] += dsums[t * width + j];
      }
    }
    return { loss, made, back, dlogits, dsums };
  }

  // The probabilities of what comes after these tokens.
  next(numbers, tokens, temperature) {
    return softmax(this.forward(numbers, tokens, true).logits, this.vocab, temperature);
  }

  // A name, as tokens without BOS.
  generate(numbers, temperature, dice) {
    const tokens = [this.BOS];
    while (tokens.length <= this.block) {
      const token = pick(this.next(numbers, tokens, temperature), dice);
      if (token === this.BOS) break;
      tokens.push(token);
    }
    return tokens.slice(1);
  }
}

// A token at random, each with its probability.
export function pick(probs, dice) {
  let rest = dice();
  let token = 0;
  while (token < probs.length - 1 && (rest -= probs[token]) >= 0) token++;
  return token;
}
