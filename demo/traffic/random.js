// Seeded random numbers (xorshift32): the same seed gives the same traffic.

export function seeded(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next(); // adjacent seeds begin with similar values

  const int = (low, high) => low + Math.floor(next() * (high - low + 1));
  const pick = (list) => list[int(0, list.length - 1)];
  const weighted = (list) => {
    let left = next() * list.reduce((sum, item) => sum + item.weight, 0);
    return list.find((item) => (left -= item.weight) < 0) ?? list.at(-1);
  };
  const shuffled = (list) => {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = int(0, i);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  };
  return { next, int, pick, weighted, shuffled };
}
