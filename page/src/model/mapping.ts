/** Value mappings: texts and colours in place of values. */

import { isObject, number, object, objects, text } from "./json.ts";
import { regexOf } from "./regex.ts";

export interface Mapped {
  text: string | undefined;
  color: string | undefined;
}

export type Value = number | string | null;

export interface Mapping {
  matches(value: Value): Mapped | undefined;
}

export const MAPPINGS = ["value", "range", "special", "regex"];

const result = (json: unknown): Mapped => {
  const { text: shown, color } = object(json);
  return { text: text(shown), color: text(color) };
};

const isSpecial = (value: Value, match: string | undefined): boolean => {
  switch (match) {
    case "null":
      return value === null;
    case "nan":
      return Number.isNaN(value);
    case "null+nan":
      return value === null || Number.isNaN(value);
    case "empty":
      return value === "";
    case "true":
      return value === "true";
    case "false":
      return value === "false";
    default:
      return false;
  }
};

const mappingOf = (type: string | undefined, options: unknown): Mapping => {
  const settings = object(options);
  const mapped = result(settings.result);
  switch (type) {
    case "value": {
      const values = new Map(Object.entries(settings).filter(([, one]) => isObject(one)).map(([value, one]) => [value, result(one)]));
      return { matches: (value) => (value === null ? undefined : values.get(String(value))) };
    }
    case "range": {
      const [from, to] = [number(settings.from) ?? -Infinity, number(settings.to) ?? Infinity];
      return { matches: (value) => (typeof value === "number" && value >= from && value <= to ? mapped : undefined) };
    }
    case "regex": {
      const pattern = regexOf(text(settings.pattern) ?? "");
      return { matches: (value) => (value !== null && pattern?.test(String(value)) ? mapped : undefined) };
    }
    default:
      return { matches: (value) => (isSpecial(value, text(settings.match)) ? mapped : undefined) };
  }
};

export const mappingsOf = (json: unknown): Mapping[] =>
  objects(json).map((mapping) => mappingOf(text(mapping.type), mapping.options));

/** The first mapping that matches. */
export const mapped = (mappings: Mapping[], value: Value): Mapped | undefined => {
  for (const mapping of mappings) {
    const found = mapping.matches(value);
    if (found !== undefined) return found;
  }
  return undefined;
};
