// Chance that repeats: the page's own dice, which are not those of Python.

// Random numbers that repeat: xorshift on 32 bits, two of them for one number in [0, 1).
export function dice(seed) {
  let state = (seed * 2654435761 + 88172645) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 20; i++) next(); // near seeds should not begin alike
  return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
}
export function gauss(chance) {
  // mean 0, spread 1
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}
export function shuffle(items, chance) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
