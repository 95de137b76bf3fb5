/** Completion of PromQL: what can stand at a position of a query, and which names fit there. */

/** A part of the query that a choice replaces, up to the cursor and beyond it to the end of the word. */
interface Place {
  start: number;
  end: number;
  /** The part of the word before the cursor. */
  typed: string;
}

export type Context = Place &
  (
    | { kind: "expression" }
    /** In `[…]` or after `offset`. */
    | { kind: "duration" }
    /** In the braces of a selector, or in a list of labels such as `by (…)`, of a metric if it is known. */
    | { kind: "label"; selector: string; isGrouping: boolean }
    /** The quoted value of a matcher. */
    | { kind: "value"; selector: string; label: string; quote: string; isClosed: boolean }
  );

type Kind = "word" | "number" | "string" | "symbol" | "comment";

interface Token {
  kind: Kind;
  start: number;
  end: number;
  text: string;
}

const TOKEN = /(?<comment>#[^\n]*)|(?<string>"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|`[^`]*`?)|(?<word>[A-Za-z_:][\w:]*)|(?<number>[\d.][\w.]*)|(?<symbol>=~|!~|!=|==|>=|<=|[^\s])/g;

/** The tokens of a query. A string that is not closed ends with the line, or in backticks with the text. */
export const tokens = (text: string): Token[] =>
  [...text.matchAll(TOKEN)].map((match) => {
    const found = Object.entries(match.groups ?? {}).find(([, part]) => part !== undefined);
    return { kind: found?.[0] as Kind, start: match.index, end: match.index + match[0].length, text: match[0] };
  });

const GROUPING = ["by", "without", "on", "ignoring", "group_left", "group_right"];

const isClosed = ({ text }: Token) => text.length > 1 && text.at(-1) === text[0] && !/(?<!\\)(\\\\)*\\$/.test(text.slice(1, -1));

interface Open {
  bracket: string;
  /** Its place among the tokens. */
  at: number;
}

/** The brackets that are open after these tokens, outermost first. */
const opened = (before: readonly Token[]): Open[] => {
  const stack: Open[] = [];
  before.forEach(({ text, kind }, at) => {
    if (kind !== "symbol") return;
    if ("([{".includes(text)) stack.push({ bracket: text, at });
    else if (")]}".includes(text)) stack.pop();
  });
  return stack;
};

/** The selector whose braces begin at `open`, with the matchers that are complete and do not contain `without`. */
const selectorAt = (all: readonly Token[], open: number, without: number): string => {
  const name = all[open - 1];
  const matchers: string[] = [];
  for (let at = open + 1; at + 2 < all.length && all[at]?.text !== "}"; at++) {
    const [label, operator, value] = [all[at], all[at + 1], all[at + 2]];
    if (label?.kind !== "word" || value?.kind !== "string" || !["=", "!=", "=~", "!~"].includes(operator?.text ?? "")) continue;
    if (at + 2 !== without && at !== without && isClosed(value)) matchers.push(`${label.text}${operator?.text}${value.text}`);
    at += 2;
  }
  const metric = name?.kind === "word" && !/\b(and|or|unless|bool|offset)\b/i.test(name.text) ? name.text : "";
  if (matchers.length > 0) return `${metric}{${matchers.join(",")}}`;
  return metric;
};

/** The first metric after the labels of a grouping: `sum by (⟨here⟩) (rate(metric[5m]))`, or before them: `sum(metric) by (⟨here⟩)`. */
const groupedMetric = (all: readonly Token[], open: number): string => {
  const isMetric = (at: number) => {
    const [token, next, before] = [all[at], all[at + 1], all[at - 1]];
    const isName = token?.kind === "word" && next?.text !== "(" && !GROUPING.includes(token.text.toLowerCase());
    return isName && (next === undefined || /^[[{)]$|^[-+*/%^<>=!]/.test(next.text)) && before?.text !== "{" && before?.text !== ",";
  };
  const close = all.findIndex(({ text }, at) => at > open && text === ")");
  for (let at = close < 0 ? all.length : close + 1; at < all.length; at++) if (isMetric(at)) return all[at]?.text ?? "";
  for (let at = open - 1; at >= 0; at--) if (isMetric(at)) return all[at]?.text ?? "";
  return "";
};

const wordAt = (text: string, position: number): Place => {
  const start = position - (/[\w:]*$/.exec(text.slice(0, position))?.[0].length ?? 0);
  const end = position + (/^[\w:]*/.exec(text.slice(position))?.[0].length ?? 0);
  return { start, end, typed: text.slice(start, position) };
};

/** The kinds of words that are valid at a position of the query; `undefined` in comments, numbers and strings that are no value of a label. */
export const contextAt = (text: string, position: number): Context | undefined => {
  const all = tokens(text).filter(({ kind, end, start }) => kind !== "comment" || (start < position && end >= position));
  // A token that ends at the cursor is being typed, unless it is a symbol or a closed string.
  const current = all.findIndex(({ kind, start, end }) => kind !== "symbol" && start < position && end >= position);
  const token = all[current];
  const isInside = token !== undefined && !(token.kind === "string" && isClosed(token) && token.end === position);
  if (isInside && token.kind === "comment") return undefined;
  const before = isInside ? all.slice(0, current) : all.filter(({ end }) => end <= position);
  const open = opened(before).at(-1);
  const last = before.at(-1);
  if (isInside && token.kind === "string") {
    const [label, operator] = [before.at(-2), before.at(-1)];
    if (open?.bracket !== "{" || label?.kind !== "word" || !["=", "!=", "=~", "!~"].includes(operator?.text ?? "")) return undefined;
    const closed = isClosed(token);
    const end = closed ? token.end - 1 : token.end;
    const place = { start: token.start + 1, end, typed: text.slice(token.start + 1, position) };
    return { kind: "value", ...place, label: label.text, quote: text[token.start] ?? '"', isClosed: closed, selector: selectorAt(all, open.at, current) };
  }
  const place = wordAt(text, position);
  if (open?.bracket === "[" || (last?.kind === "word" && last.text.toLowerCase() === "offset")) return { kind: "duration", ...place };
  if (isInside && token.kind === "number") return undefined;
  if (open?.bracket === "{") {
    const expectsLabel = last?.text === "{" || last?.text === ",";
    return expectsLabel ? { kind: "label", ...place, isGrouping: false, selector: selectorAt(all, open.at, current) } : undefined;
  }
  const head = open === undefined ? undefined : before[open.at - 1];
  if (open?.bracket === "(" && head?.kind === "word" && GROUPING.includes(head.text.toLowerCase())) {
    return { kind: "label", ...place, isGrouping: true, selector: groupedMetric(all, open.at) };
  }
  return { kind: "expression", ...place };
};

export type OptionKind = "metric" | "function" | "aggregation" | "keyword" | "label" | "value" | "duration";

export interface Option {
  text: string;
  kind: OptionKind;
  /** The help of a metric, or the arguments of a function. */
  detail: string;
}

/** How well a name fits: smaller is better, `undefined` if it does not. */
const rank = (name: string, typed: string): number | undefined => {
  const [lower, wanted] = [name.toLowerCase(), typed.toLowerCase()];
  if (lower.startsWith(wanted)) return 0;
  const at = lower.indexOf(wanted);
  if (at > 0) return /[_:/.\-\s]/.test(lower[at - 1] ?? "") ? 1 : 2;
  // All parts of the text, in any order: `tick p99`, `dur_http`.
  const parts = wanted.split(/[_\s]+/).filter((part) => part !== "");
  return parts.length > 1 && parts.every((part) => lower.includes(part)) ? 3 : undefined;
};

/** The options that fit what was typed, the best first; names of one rank keep their order. */
export const matching = (options: readonly Option[], typed: string, most: number): Option[] => {
  const ranked = options.flatMap((option) => {
    const found = rank(option.text, typed);
    return found === undefined || (option.text === typed && option.kind !== "value") ? [] : [{ option, found }];
  });
  return ranked
    .toSorted((a, b) => a.found - b.found)
    .slice(0, most)
    .map(({ option }) => option);
};

/** A query with its cursor. */
export interface Edit {
  text: string;
  cursor: number;
}

const escaped = (value: string, quote: string): string =>
  quote === "`" ? value : value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll(quote, `\\${quote}`);

/** The query with the option in its place. */
export const applied = (text: string, context: Context, option: Option): Edit => {
  const [head, tail] = [text.slice(0, context.start), text.slice(context.end)];
  const put = (inserted: string, back = 0): Edit => ({ text: head + inserted + tail, cursor: head.length + inserted.length - back });
  switch (context.kind) {
    case "value": {
      const inserted = escaped(option.text, context.quote);
      const isClosed = context.isClosed || tail.startsWith(context.quote);
      const edit = put(isClosed ? inserted : inserted + context.quote);
      return isClosed ? { ...edit, cursor: edit.cursor + 1 } : edit;
    }
    case "label":
      // The value follows.
      return context.isGrouping || /^\s*[=!]/.test(tail) ? put(option.text) : put(`${option.text}=""`, 1);
    default: {
      const takesArguments = option.kind === "function" || option.kind === "aggregation";
      if (takesArguments && !/^\s*\(/.test(tail)) return put(`${option.text}()`, 1);
      return put(option.text);
    }
  }
};

/** Where the message of an error of the API points: an index into the query, and the text of the error itself. */
export const pointed = (message: string, query: string): { at: number; reason: string } | undefined => {
  const parts = /(?:^|: |")(\d+):(\d+): ([\s\S]*)$/.exec(message);
  if (parts === null) return undefined;
  const [line, column] = [Number(parts[1]), Number(parts[2])];
  const lines = query.split("\n");
  const within = lines[line - 1];
  if (within === undefined) return undefined;
  const characters = [...within];
  if (column < 1 || column > characters.length + 1) return undefined;
  // Columns count characters, and strings code units.
  const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + characters.slice(0, column - 1).join("").length;
  return { at, reason: parts[3] ?? "" };
};
