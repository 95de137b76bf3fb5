/** The queries that a user has run. */

/** The most queries that are kept, and the longest one. */
const KEPT = 50;
const LONGEST = 4_000;

/** With this query first. Each query is kept once. */
export const remembered = (history: readonly string[], query: string): string[] => {
  const text = query.trim();
  if (text === "" || text.length > LONGEST) return [...history];
  return [text, ...history.filter((one) => one !== text)].slice(0, KEPT);
};

/** The stored text as a history, if it is one. */
export const historyOf = (stored: string | null): string[] => {
  try {
    const json: unknown = JSON.parse(stored ?? "[]");
    return Array.isArray(json) ? json.filter((one) => typeof one === "string").slice(0, KEPT) : [];
  } catch {
    return [];
  }
};
