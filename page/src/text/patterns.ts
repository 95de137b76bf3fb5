/** Texts of the built-in rules in French, which are found by their English ones. A number in braces stands for what the rule inserts. */

interface Pattern {
  pattern: RegExp;
  french: string;
}

/** `{1|sur}` inserts a list of codes and routes, `500 on /x`, in French. */
const INSERTED = /\{(\d)(?:\|(\w+))?\}/g;

const patternOf = ([english, french]: [string, string]): Pattern => {
  const literal = english.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { pattern: new RegExp(`^${literal.join("(.*)")}$`, "s"), french };
};

/** The French text of an English one; the same one if it is not that of a built-in rule. */
export const translator = (texts: Readonly<Record<string, string>>): ((english: string) => string) => {
  const patterns = Object.entries(texts).map(patternOf);
  return (english) => {
    for (const { pattern, french } of patterns) {
      const values = pattern.exec(english);
      if (values === null) continue;
      return french.replace(INSERTED, (_, at: string, on: string | undefined) => {
        const value = values[Number(at) + 1] ?? "";
        return on === undefined ? value : value.replaceAll(" on ", ` ${on} `);
      });
    }
    return english;
  };
};
