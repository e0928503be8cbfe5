"use strict";
// The GPT of microgpt.py in JavaScript: the pairs of its section 11 on Float64Array, rows one after another, and Adam.
// A tensor [T][n] has row t from t * n on. Nothing here knows of the page.

const Model = (() => {
  const MOMENTS = [0, 10, 30, 100, 300, 1000, 3000, 10000];  // steps after which the numbers are kept
  const SLICE = 8, PAUSE = 12;                               // milliseconds of training at a time; of rest, when slow
  const MOST_TEXT = 1000000, MOST_LETTERS = 5000;            // what the page agrees to learn from

  // Linear: y = x wᵀ, dx = dy w, dw = dyᵀ x. x is [T][n], w [m][n], y [T][m].
  function linearForward(x, w, T, n, m) {
    const y = new Float64Array(T * m);
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < m; i++) {
        let sum = 0;
        for (let j = 0, a = t * n, b = i * n; j < n; j++) sum += x[a + j] * w[b + j];
        y[t * m + i] = sum;
      }
    }
    return y;
  }
  function linearBack(dy, x, w, T, n, m, dw) {               // -> dx; adds to dw
    const dx = new Float64Array(T * n);
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < m; i++) {
        const d = dy[t * m + i];
        if (d === 0) continue;
        for (let j = 0, a = t * n, b = i * n; j < n; j++) {
          dx[a + j] += d * w[b + j];
          dw[b + j] += d * x[a + j];
        }
      }
    }
    return dx;
  }

  function reluForward(x) { return x.map(xi => xi > 0 ? xi : 0); }
  function reluBack(dy, y) { return dy.map((d, i) => y[i] > 0 ? d : 0); }
  function add(a, b) { return a.map((ai, i) => ai + b[i]); }

  // RMSNorm: y = s x with s = (mean(x²) + 1e-5)^(-1/2); dx = s (dy - y mean(dy y)).
  function scale(x, from, n) {
    let squares = 0;
    for (let j = from; j < from + n; j++) squares += x[j] * x[j];
    return 1 / Math.sqrt(squares / n + 1e-5);
  }
  function rmsnormForward(x, n) {
    const y = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += n) {
      const s = scale(x, from, n);
      for (let j = from; j < from + n; j++) y[j] = s * x[j];
    }
    return y;
  }
  function rmsnormBack(dy, x, y, n) {
    const dx = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += n) {
      const s = scale(x, from, n);
      let mean = 0;
      for (let j = from; j < from + n; j++) mean += dy[j] * y[j] / n;
      for (let j = from; j < from + n; j++) dx[j] = s * (dy[j] - y[j] * mean);
    }
    return dx;
  }

  // Softmax of the row that begins at `from`, n numbers long, into y; a temperature divides the scores.
  function softmaxRow(x, y, from, n, temperature = 1) {
    let largest = -Infinity, total = 0;
    for (let i = from; i < from + n; i++) if (x[i] > largest) largest = x[i];
    for (let i = from; i < from + n; i++) total += y[i] = Math.exp((x[i] - largest) / temperature);
    for (let i = from; i < from + n; i++) y[i] /= total;
  }
  function softmax(x, n, temperature = 1) {                  // [T][n] -> [T][n]
    const y = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += n) softmaxRow(x, y, from, n, temperature);
    return y;
  }

  // Attention, in each head: weights = softmax(q kᵀ / root), heard = weights v. weights is [heads][T][T], exactly 0 for
  // later tokens.
  function attentionForward(q, k, v, T, width, heads) {      // -> heard, weights
    const share = width / heads, root = Math.sqrt(share);
    const heard = new Float64Array(T * width), weights = new Float64Array(heads * T * T);
    for (let head = 0; head < heads; head++) {
      const first = head * share;
      for (let t = 0; t < T; t++) {
        const row = (head * T + t) * T;
        for (let past = 0; past <= t; past++) {
          let score = 0;
          for (let j = first; j < first + share; j++) score += q[t * width + j] * k[past * width + j];
          weights[row + past] = score / root;
        }
        softmaxRow(weights, weights, row, t + 1);
        for (let past = 0; past <= t; past++) {
          for (let j = first; j < first + share; j++) heard[t * width + j] += weights[row + past] * v[past * width + j];
        }
      }
    }
    return [heard, weights];
  }
  function attentionBack(dheard, q, k, v, weights, T, width, heads) {  // -> dq, dk, dv
    const share = width / heads, root = Math.sqrt(share);
    const dq = new Float64Array(T * width), dk = new Float64Array(T * width), dv = new Float64Array(T * width);
    const dweight = new Float64Array(T);
    for (let head = 0; head < heads; head++) {
      const first = head * share;
      for (let t = 0; t < T; t++) {
        const row = (head * T + t) * T;
        let total = 0;
        for (let past = 0; past <= t; past++) {
          let sum = 0;
          for (let j = first; j < first + share; j++) {
            sum += dheard[t * width + j] * v[past * width + j];
            dv[past * width + j] += weights[row + past] * dheard[t * width + j];
          }
          dweight[past] = sum;
          total += sum * weights[row + past];
        }
        for (let past = 0; past <= t; past++) {
          const dscore = weights[row + past] * (dweight[past] - total) / root;
          for (let j = first; j < first + share; j++) {
            dq[t * width + j] += dscore * k[past * width + j];
            dk[past * width + j] += dscore * q[t * width + j];
          }
        }
      }
    }
    return [dq, dk, dv];
  }

  class GPT {
    constructor(knobs, vocab) {
      const { layers, width, heads, block } = knobs;
      Object.assign(this, { layers, width, heads, block, vocab, BOS: vocab - 1 });
      this.shapes = [["token", vocab, width], ["position", block, width], ["lm_head", vocab, width]];
      for (let layer = 0; layer < layers; layer++) {
        for (const role of ["query", "key", "value", "output"]) this.shapes.push([`${role} ${layer}`, width, width]);
        this.shapes.push([`up ${layer}`, 4 * width, width], [`down ${layer}`, width, 4 * width]);
      }
      this.count = this.shapes.reduce((sum, [, rows, columns]) => sum + rows * columns, 0);
    }

    matrices(numbers) {                                      // [params] -> {name: its part of them}
      const parts = {};
      let from = 0;
      for (const [name, rows, columns] of this.shapes) {
        parts[name] = numbers.subarray(from, from += rows * columns);
      }
      return parts;
    }

    // All that the model makes of these tokens, under the names of the lecture. Logits of all tokens, or of the last.
    forward(numbers, inputs, lastOnly = false) {
      const { layers, width, heads, vocab } = this, T = inputs.length, w = this.matrices(numbers);
      const sums = new Float64Array(T * width);
      for (let t = 0; t < T; t++) {
        for (let j = 0; j < width; j++) {
          sums[t * width + j] = w.token[inputs[t] * width + j] + w.position[t * width + j];
        }
      }
      const made = { T, w, sums, x0: rmsnormForward(sums, width), layers: [] };
      let x = made.x0;
      for (let layer = 0; layer < layers; layer++) {
        const n = rmsnormForward(x, width);                                                    // 1
        const q = linearForward(n, w[`query ${layer}`], T, width, width);                      // 2
        const k = linearForward(n, w[`key ${layer}`], T, width, width);                        // 3
        const v = linearForward(n, w[`value ${layer}`], T, width, width);                      // 4
        const [a, weights] = attentionForward(q, k, v, T, width, heads);                       // 5
        const x1 = add(x, linearForward(a, w[`output ${layer}`], T, width, width));            // 6
        const n1 = rmsnormForward(x1, width);                                                  // 7
        const hidden = reluForward(linearForward(n1, w[`up ${layer}`], T, width, 4 * width));  // 8
        const x2 = add(x1, linearForward(hidden, w[`down ${layer}`], T, 4 * width, width));    // 9
        made.layers.push({ x, n, q, k, v, a, weights, x1, n1, hidden, x2 });
        x = x2;
      }
      made.x = x;
      made.logits = lastOnly ? linearForward(x.subarray((T - 1) * width), w.lm_head, 1, width, vocab)
                             : linearForward(x, w.lm_head, T, width, vocab);
      return made;
    }

    // [params], [BOS ... BOS] -> loss; fills in the gradients, [params].
    explicit(numbers, tokens, gradients) {
      const { layers, width, heads, block, vocab } = this;
      const T = Math.min(block, tokens.length - 1), inputs = tokens.slice(0, T);
      const made = this.forward(numbers, inputs), w = made.w;
      gradients.fill(0);
      const dw = this.matrices(gradients);
      const dlogits = softmax(made.logits, vocab);           // the probabilities, and then what was true is taken off
      let loss = 0;
      for (let t = 0; t < T; t++) {
        loss -= Math.log(dlogits[t * vocab + tokens[t + 1]]) / T;
        dlogits[t * vocab + tokens[t + 1]] -= 1;
      }
      for (let i = 0; i < dlogits.length; i++) dlogits[i] /= T;
      let dx = linearBack(dlogits, made.x, w.lm_head, T, width, vocab, dw.lm_head);
      for (let layer = layers - 1; layer >= 0; layer--) {
        const { x, n, q, k, v, a, weights, x1, n1, hidden } = made.layers[layer];
        const dhidden = linearBack(dx, hidden, w[`down ${layer}`], T, 4 * width, width, dw[`down ${layer}`]);  // 9
        const dmatch = reluBack(dhidden, hidden);                                                              // 8
        const dn1 = linearBack(dmatch, n1, w[`up ${layer}`], T, width, 4 * width, dw[`up ${layer}`]);
        const dx1 = add(dx, rmsnormBack(dn1, x1, n1, width));                                                  // 7
        const da = linearBack(dx1, a, w[`output ${layer}`], T, width, width, dw[`output ${layer}`]);           // 6
        const [dq, dk, dv] = attentionBack(da, q, k, v, weights, T, width, heads);                             // 5
        const dnv = linearBack(dv, n, w[`value ${layer}`], T, width, width, dw[`value ${layer}`]);             // 4
        const dnk = linearBack(dk, n, w[`key ${layer}`], T, width, width, dw[`key ${layer}`]);                 // 3
        const dnq = linearBack(dq, n, w[`query ${layer}`], T, width, width, dw[`query ${layer}`]);             // 2
        dx = add(dx1, rmsnormBack(add(dnq, add(dnk, dnv)), x, n, width));                                      // 1
      }
      const dsums = rmsnormBack(dx, made.sums, made.x0, width);
      for (let t = 0; t < T; t++) {
        for (let j = 0; j < width; j++) {
          dw.position[t * width + j] += dsums[t * width + j];
          dw.token[inputs[t] * width + j] += dsums[t * width + j];
        }
      }
      return loss;
    }

    generate(numbers, temperature, dice) {                   // -> tokens, without BOS
      const tokens = [this.BOS];
      while (tokens.length <= this.block) {
        const probs = softmax(this.forward(numbers, tokens, true).logits, this.vocab, temperature);
        let rest = dice(), token = 0;
        while (token < this.vocab - 1 && (rest -= probs[token]) >= 0) token++;
        if (token === this.BOS) break;
        tokens.push(token);
      }
      return tokens.slice(1);
    }
  }

  // Train with Adam, a slice of time after the other, and keep the numbers of some moments.
  class Training {
    constructor(gpt, tokensOf, docs, untrained, { rate, steps }, changed = () => {}) {
      Object.assign(this, { gpt, tokensOf, docs, rate, steps, changed });
      this.numbers = Float64Array.from(untrained);
      this.gradients = new Float64Array(gpt.count);
      this.first = new Float64Array(gpt.count);
      this.second = new Float64Array(gpt.count);
      this.losses = [];
      this.kept = new Map([[0, this.numbers.slice()]]);      // step -> numbers
      this.running = this.slow = false;
      this.longest = this.seconds = 0;                       // of a slice, in milliseconds; of all slices
      this.channel = new MessageChannel();
      this.channel.port1.onmessage = () => this.slice();
    }
    get step() { return this.losses.length; }
    get done() { return this.step >= this.steps; }

    moments() {                                              // [[step, numbers], ...], the latest last
      const moments = [...this.kept];
      if (!this.kept.has(this.step)) moments.push([this.step, this.numbers]);
      return moments;
    }

    advance() {                                              // one step
      const { numbers, gradients, first, second, step } = this;
      const beta1 = 0.85, beta2 = 0.99;
      const loss = this.gpt.explicit(numbers, this.tokensOf(this.docs[step % this.docs.length]), gradients);
      const rate = this.rate * (1 - step / this.steps);
      const seen1 = 1 - beta1 ** (step + 1), seen2 = 1 - beta2 ** (step + 1);
      for (let i = 0; i < numbers.length; i++) {
        const g = gradients[i];
        first[i] = beta1 * first[i] + (1 - beta1) * g;
        second[i] = beta2 * second[i] + (1 - beta2) * g * g;
        numbers[i] -= rate * (first[i] / seen1) / (Math.sqrt(second[i] / seen2) + 1e-8);
      }
      this.losses.push(loss);
      if (MOMENTS.includes(this.step)) this.kept.set(this.step, numbers.slice());
    }

    run() {
      if (this.running || this.done) return;
      this.running = true;
      this.channel.port2.postMessage(null);
      this.changed();
    }
    pause() {
      this.running = false;
      this.changed();
    }
    slice() {
      if (!this.running) return;
      const began = performance.now();
      let spent;
      do {
        this.advance();
        spent = performance.now() - began;
      } while (!this.done && !this.slow && spent < SLICE);
      this.longest = Math.max(this.longest, spent);
      this.seconds += spent / 1000;
      if (this.done) this.running = false;
      else if (this.slow) setTimeout(() => this.slice(), PAUSE);
      else this.channel.port2.postMessage(null);
      this.changed();
    }
  }

  // Random numbers that repeat: xorshift on 32 bits, two of them for one number in [0, 1).
  function dice(seed) {
    let state = (seed * 2654435761 + 88172645) >>> 0 || 1;
    const next = () => {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
      return state >>> 0;
    };
    for (let i = 0; i < 20; i++) next();                     // near seeds should not begin alike
    return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  }
  function gauss(chance) {                                   // mean 0, spread 1
    return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  }
  function shuffle(items, chance) {
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(chance() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;  // what Python strips
  function strip(line) {
    let from = 0, to = line.length;
    while (from < to && SPACE.test(line[from])) from++;
    while (to > from && SPACE.test(line[to - 1])) to--;
    return line.slice(from, to);
  }

  // A text of one item a line -> {docs, letters}, or {problem}, a sentence. Letters are code points, as in Python.
  function read(text, seed) {
    if (text.length > MOST_TEXT) {
      return { problem: `This text has ${text.length.toLocaleString("en")} characters; the page takes at most ` +
                        `${MOST_TEXT.toLocaleString("en")}.` };
    }
    const docs = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).map(strip).filter(Boolean);
    if (!docs.length) return { problem: "There is nothing to learn from: this text has no letter in any line." };
    const found = new Set();
    for (const doc of docs) for (const letter of doc) found.add(letter);
    if (found.size > MOST_LETTERS) {
      return { problem: `This text has ${found.size.toLocaleString("en")} different letters; the page takes at most ` +
                        `${MOST_LETTERS.toLocaleString("en")}.` };
    }
    const letters = [...found].sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
    return { docs: shuffle(docs, dice(seed)), letters };
  }

  // Encodes a name, no more of it than the block can use.
  function encoder(letters, block) {
    const tokens = new Map(letters.map((letter, token) => [letter, token])), BOS = letters.length;
    return name => {
      const coded = [BOS];
      for (const letter of name) {
        if (coded.length > block) return coded;              // cut: no more than block tokens are looked at
        coded.push(tokens.get(letter));
      }
      coded.push(BOS);
      return coded;
    };
  }

  // What a table of pairs would reach: each name's mean of log(1 / share of b after a), and the mean of these.
  function bigram(docs, tokensOf, block, vocab) {
    const pairs = new Map(), firsts = new Float64Array(vocab);
    const coded = docs.map(doc => tokensOf(doc));
    const guesses = tokens => Math.min(block, tokens.length - 1);
    for (const tokens of coded) {
      for (let t = 0; t < guesses(tokens); t++) {
        const pair = tokens[t] * vocab + tokens[t + 1];
        pairs.set(pair, (pairs.get(pair) || 0) + 1);
        firsts[tokens[t]]++;
      }
    }
    let sum = 0;
    for (const tokens of coded) {
      let loss = 0;
      for (let t = 0; t < guesses(tokens); t++) {
        loss -= Math.log(pairs.get(tokens[t] * vocab + tokens[t + 1]) / firsts[tokens[t]]);
      }
      sum += loss / guesses(tokens);
    }
    return sum / docs.length;
  }

  // The first two principal components of the rows of a matrix: where each row lies on them, and their shares.
  // Jacobi's method on the covariance matrix; the sign is chosen so that a component's largest entry is positive.
  function principal(rows, n) {
    const count = rows.length, mean = new Float64Array(n);
    for (const row of rows) for (let j = 0; j < n; j++) mean[j] += row[j] / count;
    const a = Array.from({ length: n }, () => new Float64Array(n));
    const e = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => +(i === j)));
    for (const row of rows) {
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / count;
    }
    for (let sweep = 0; sweep < 50; sweep++) {
      let off = 0, on = 0;
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i === j) on += a[i][j] ** 2; else off += a[i][j] ** 2;
      if (off <= 1e-24 * on) break;
      for (let i = 0; i < n; i++) {
        for (let j = i + 1; j < n; j++) {
          if (a[i][j] === 0) continue;
          const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
          const tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
          const cos = 1 / Math.sqrt(tan * tan + 1), sin = tan * cos;
          for (let k = 0; k < n; k++) [a[k][i], a[k][j]] = [cos * a[k][i] - sin * a[k][j], sin * a[k][i] + cos * a[k][j]];
          for (let k = 0; k < n; k++) [a[i][k], a[j][k]] = [cos * a[i][k] - sin * a[j][k], sin * a[i][k] + cos * a[j][k]];
          for (let k = 0; k < n; k++) [e[k][i], e[k][j]] = [cos * e[k][i] - sin * e[k][j], sin * e[k][i] + cos * e[k][j]];
        }
      }
    }
    const order = [...Array(n).keys()].sort((i, j) => a[j][j] - a[i][i]);
    const total = order.reduce((sum, i) => sum + a[i][i], 0);
    const axes = order.slice(0, 2).map(i => {
      const axis = Float64Array.from({ length: n }, (_, k) => e[k][i]);
      const largest = axis.reduce((best, value) => Math.abs(value) > Math.abs(best) ? value : best, 0);
      return largest < 0 ? axis.map(value => -value) : axis;
    });
    const places = rows.map(row => axes.map(axis => axis.reduce((sum, value, j) => sum + value * (row[j] - mean[j]), 0)));
    return { places, shares: order.slice(0, 2).map(i => total > 0 ? Math.max(0, a[i][i]) / total : 0) };
  }

  return { GPT, Training, MOMENTS, softmax, dice, gauss, read, encoder, bigram, principal };
})();
