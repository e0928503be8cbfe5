// Models without a network: tables of counts.

// What a table of pairs would reach: each name's mean of log(1 / share of b after a), and the mean of these.
export function bigram(docs, tokensOf, block, vocab) {
  const pairs = new Map(),
    firsts = new Float64Array(vocab);
  const coded = docs.map((doc) => tokensOf(doc));
  const guesses = (tokens) => Math.min(block, tokens.length - 1);
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

// The same of a table that knows only how often each token comes.
export function unigram(docs, tokensOf, block, vocab) {
  const counts = new Float64Array(vocab);
  const coded = docs.map((doc) => tokensOf(doc).slice(1, block + 1));
  let total = 0;
  for (const tokens of coded) {
    for (const token of tokens) counts[token]++;
    total += tokens.length;
  }
  let sum = 0;
  for (const tokens of coded) {
    sum +=
      tokens.reduce((loss, token) => loss - Math.log(counts[token] / total), 0) / tokens.length;
  }
  return sum / docs.length;
}
