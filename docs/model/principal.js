// Principal components, for the map of the letters.

// The first two principal components of the rows of a matrix, and their shares of the spread.
// Jacobi's method on the covariance matrix; the sign is chosen so that a component's largest entry is positive.
export function principal(rows, n) {
  const count = rows.length,
    mean = new Float64Array(n);
  for (const row of rows) for (let j = 0; j < n; j++) mean[j] += row[j] / count;
  const a = Array.from({ length: n }, () => new Float64Array(n));
  const e = Array.from({ length: n }, (_row, i) =>
    Float64Array.from({ length: n }, (_, j) => +(i === j)),
  );
  for (const row of rows) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) a[i][j] += ((row[i] - mean[i]) * (row[j] - mean[j])) / count;
  }
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0,
      on = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        if (i === j) on += a[i][j] ** 2;
        else off += a[i][j] ** 2;
    if (off <= 1e-24 * on) break;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        if (a[i][j] === 0) continue;
        const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
        const tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const cos = 1 / Math.sqrt(tan * tan + 1),
          sin = tan * cos;
        for (let k = 0; k < n; k++)
          [a[k][i], a[k][j]] = [cos * a[k][i] - sin * a[k][j], sin * a[k][i] + cos * a[k][j]];
        for (let k = 0; k < n; k++)
          [a[i][k], a[j][k]] = [cos * a[i][k] - sin * a[j][k], sin * a[i][k] + cos * a[j][k]];
        for (let k = 0; k < n; k++)
          [e[k][i], e[k][j]] = [cos * e[k][i] - sin * e[k][j], sin * e[k][i] + cos * e[k][j]];
      }
    }
  }
  const order = [...Array(n).keys()].sort((i, j) => a[j][j] - a[i][i]);
  const total = order.reduce((sum, i) => sum + a[i][i], 0);
  const axes = order.slice(0, 2).map((i) => {
    const axis = Float64Array.from({ length: n }, (_, k) => e[k][i]);
    const largest = axis.reduce(
      (best, value) => (Math.abs(value) > Math.abs(best) ? value : best),
      0,
    );
    return largest < 0 ? axis.map((value) => -value) : axis;
  });
  const shares = order.slice(0, 2).map((i) => (total > 0 ? Math.max(0, a[i][i]) / total : 0));
  return { mean, axes, shares };
}

// Where rows lie on these axes.
export function project(rows, { mean, axes }) {
  return rows.map((row) =>
    axes.map((axis) => axis.reduce((sum, value, j) => sum + value * (row[j] - mean[j]), 0)),
  );
}
