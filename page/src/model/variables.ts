/** The variables of a dashboard, and their use in texts. */

import { type Json, flag, number, object, objects, text, texts } from "./json.ts";

export const ALL = "$__all";

export interface Variable {
  name: string;
  label: string;
  /** How the values to choose from are found. */
  source: { metric: string; label: string } | { values: string[] };
  regex: string;
  isMulti: boolean;
  includesAll: boolean;
  /** What stands for all values; without it, all of them do. */
  allValue: string | undefined;
  isHidden: boolean;
  sort: number;
  initial: string[];
}

/** The selected values by the name of the variable, as the user sees them. */
export type Selection = Readonly<Record<string, readonly string[]>>;

/** `label_values(metric{…}, label)` or `label_values(label)`. */
export const labelValues = (query: string): { metric: string; label: string } | undefined => {
  const parts = /^\s*label_values\(\s*(?:(.*)\s*,\s*)?([A-Za-z_]\w*)\s*\)\s*$/s.exec(query);
  return parts === null ? undefined : { metric: (parts[1] ?? "").trim(), label: parts[2] ?? "" };
};

const initialOf = (current: unknown): string[] => {
  const { value } = object(current);
  return typeof value === "string" ? [value] : texts(value);
};

/** `undefined` if the variable needs no choice; the text of an error if it is not supported. */
const variableOf = (json: Json): Variable | string | undefined => {
  const name = text(json.name) ?? "";
  const hide = number(json.hide) ?? 0;
  const common = {
    name,
    label: text(json.label) || name,
    regex: text(json.regex) ?? "",
    isMulti: flag(json.multi) ?? false,
    includesAll: flag(json.includeAll) ?? false,
    allValue: text(json.allValue) || undefined,
    isHidden: hide === 2,
    sort: number(json.sort) ?? 0,
    initial: initialOf(json.current),
  };
  const query = text(json.query) ?? text(object(json.query).query) ?? "";
  switch (json.type) {
    // There is one source of data. Filters are no part of a query's text.
    case "datasource":
    case "adhoc":
      return undefined;
    case "query": {
      const source = labelValues(query);
      return source === undefined ? `variable ${name}: ${query}` : { ...common, source };
    }
    case "custom":
    case "interval": {
      const values = query.split(/(?<!\\),/).map((value) => value.trim().replace(/\\,/g, ","));
      return values.includes("auto") ? `variable ${name}: auto` : { ...common, source: { values } };
    }
    case "constant":
    case "textbox":
      return { ...common, source: { values: [query] }, initial: [query], isHidden: true };
    default:
      return `variable ${name}: type ${String(json.type)}`;
  }
};

export const variablesOf = (templating: unknown): { variables: Variable[]; unsupported: string[] } => {
  const read = objects(object(templating).list).map(variableOf);
  return {
    variables: read.filter((one) => typeof one === "object"),
    unsupported: read.filter((one) => typeof one === "string"),
  };
};

/** The values to choose from: those that match the regex (its first group, if it has one), sorted. */
export const choices = (variable: Variable, found: readonly string[]): string[] => {
  const parts = /^\/(.*)\/(\w*)$/s.exec(variable.regex);
  let values = [...found];
  if (parts !== null) {
    const pattern = new RegExp(parts[1] ?? "", parts[2]?.replace(/[gy]/g, ""));
    values = values.flatMap((value) => {
      const match = pattern.exec(value);
      return match === null ? [] : [match[1] ?? match[0]];
    });
  }
  values = [...new Set(values)];
  if (variable.sort === 0) return values;
  const isNumeric = variable.sort === 3 || variable.sort === 4;
  values.sort((a, b) => a.localeCompare(b, "en", { numeric: isNumeric, sensitivity: variable.sort > 4 ? "base" : "variant" }));
  return variable.sort % 2 === 0 ? values.reverse() : values;
};

/** The selected values that still exist, or else the initial ones, or else all or the first. */
export const selected = (variable: Variable, chosen: readonly string[] | undefined, among: readonly string[]): string[] => {
  const exists = (value: string) => among.includes(value) || (value === ALL && variable.includesAll);
  for (const candidate of [chosen ?? [], variable.initial]) {
    const existing = candidate.filter(exists);
    if (existing.length > 0) return existing;
  }
  return variable.includesAll ? [ALL] : among.slice(0, 1);
};

/** A set of values in a regex matcher, inside a PromQL string. */
const regex = (values: readonly string[]): string => {
  const escaped = values.map((value) => value.replace(/[\\^$*+?.()|[\]{}]/g, "\\$&").replace(/[\\"]/g, "\\$&"));
  return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
};

/** The text of each variable in a query; by format. */
export interface Insertion {
  values: readonly string[];
  /** Written as it is. */
  verbatim: string | undefined;
  isSet: boolean;
}

export const insertionOf = (variable: Variable, chosen: readonly string[], among: readonly string[]): Insertion => {
  const isAll = chosen.includes(ALL);
  return {
    values: isAll ? among : chosen,
    verbatim: isAll ? variable.allValue : undefined,
    isSet: variable.isMulti || variable.includesAll,
  };
};

const FORMATS: Record<string, (values: readonly string[]) => string> = {
  regex,
  pipe: (values) => values.join("|"),
  raw: (values) => values.join(","),
  csv: (values) => values.join(","),
  text: (values) => values.join(" + "),
};

/** Raised for a reference that cannot be replaced. */
export class UnknownVariable extends Error {
  constructor(readonly reference: string) {
    super(`variable ${reference}`);
  }
}

/** Replaces `$name`, `${name}`, `${name:format}` and `[[name]]`. A macro is a text; a variable an insertion. */
export const insert = (into: string, values: Readonly<Record<string, string | Insertion>>): string =>
  into.replace(/\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g, (reference, bare, braced, format1, old, format2) => {
    const name: string = bare ?? braced ?? old;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) {
      // `$1` in label_replace is no variable.
      if (/^\d+$/.test(name)) return reference;
      throw new UnknownVariable(reference);
    }
    if (typeof value === "string") return value;
    const format: string | undefined = format1 ?? format2;
    if (format !== undefined && FORMATS[format] === undefined) throw new UnknownVariable(reference);
    if (value.verbatim !== undefined) return value.verbatim;
    if (format !== undefined) return FORMATS[format]?.(value.values) ?? "";
    return value.isSet ? regex(value.values) : value.values.join("");
  });

/** The title of a panel or row. What is not known stays as written. */
export const inTitle = (title: string, chosen: Selection, all: string): string =>
  title.replace(/\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]/g, (reference, bare, braced, old) => {
    const name: string = bare ?? braced ?? old;
    const values = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
    return values === undefined ? reference : values.map((value) => (value === ALL ? all : value)).join(" + ");
  });

/** The query with the variables that are known; macros and unknown references stay. */
export const withVariables = (into: string, values: Readonly<Record<string, Insertion>>): string => {
  const kept = references(into).filter((name) => !Object.hasOwn(values, name));
  return insert(into, { ...Object.fromEntries(kept.map((name) => [name, `$${name}`])), ...values });
};

/** The names that a text refers to. */
export const references = (within: string): string[] =>
  [...within.matchAll(/\$(\w+)|\$\{(\w+)|\[\[(\w+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
