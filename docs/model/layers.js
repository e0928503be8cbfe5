// The pairs of section 11 of microgpt.py on Float64Array, forward and back. A tensor [T][n] has row t from t * n on.

// Linear: y = x wᵀ, dx = dy w, dw = dyᵀ x. x is [T][n], w [m][n], y [T][m].
export function linearForward(x, w, T, n, m) {
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
export function linearBack(dy, x, w, T, n, m, dw) {
  // -> dx; adds to dw
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

export function reluForward(x) {
  return x.map((xi) => (xi > 0 ? xi : 0));
}
export function reluBack(dy, y) {
  return dy.map((d, i) => (y[i] > 0 ? d : 0));
}
export function add(a, b) {
  return a.map((ai, i) => ai + b[i]);
}

// RMSNorm: y = s x with s = (mean(x²) + 1e-5)^(-1/2); dx = s (dy - y mean(dy y)).
export function scale(x, from, n) {
  let squares = 0;
  for (let j = from; j < from + n; j++) squares += x[j] * x[j];
  return 1 / Math.sqrt(squares / n + 1e-5);
}
export function rmsnormForward(x, n) {
  const y = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += n) {
    const s = scale(x, from, n);
    for (let j = from; j < from + n; j++) y[j] = s * x[j];
  }
  return y;
}
export function rmsnormBack(dy, x, y, n) {
  const dx = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += n) {
    const s = scale(x, from, n);
    let mean = 0;
    for (let j = from; j < from + n; j++) mean += (dy[j] * y[j]) / n;
    for (let j = from; j < from + n; j++) dx[j] = s * (dy[j] - y[j] * mean);
  }
  return dx;
}

// Softmax of the row that begins at `from`, n numbers long, into y; a temperature divides the scores.
export function softmaxRow(x, y, from, n, temperature = 1) {
  let largest = -Infinity,
    total = 0;
  for (let i = from; i < from + n; i++) if (x[i] > largest) largest = x[i];
  for (let i = from; i < from + n; i++) total += y[i] = Math.exp((x[i] - largest) / temperature);
  for (let i = from; i < from + n; i++) y[i] /= total;
}
export function softmax(x, n, temperature = 1) {
  // [T][n] -> [T][n]
  const y = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += n) softmaxRow(x, y, from, n, temperature);
  return y;
}

// Attention, in each head: weights = softmax(q kᵀ / root), heard = weights v. weights is [heads][T][T], exactly 0 for
// later tokens.
export function attentionForward(q, k, v, T, width, heads) {
  // -> heard, weights
  const share = width / heads,
    root = Math.sqrt(share);
  const heard = new Float64Array(T * width),
    weights = new Float64Array(heads * T * T);
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
        for (let j = first; j < first + share; j++)
          heard[t * width + j] += weights[row + past] * v[past * width + j];
      }
    }
  }
  return [heard, weights];
}
export function attentionBack(dheard, q, k, v, weights, T, width, heads) {
  // -> dq, dk, dv
  const share = width / heads,
    root = Math.sqrt(share);
  const dq = new Float64Array(T * width),
    dk = new Float64Array(T * width),
    dv = new Float64Array(T * width);
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
        const dscore = (weights[row + past] * (dweight[past] - total)) / root;
        for (let j = first; j < first + share; j++) {
          dq[t * width + j] += dscore * k[past * width + j];
          dk[past * width + j] += dscore * q[t * width + j];
        }
      }
    }
  }
  return [dq, dk, dv];
}
