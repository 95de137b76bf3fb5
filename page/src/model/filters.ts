/** The ad hoc filters of a dashboard: conditions on labels that are added to each selector of its queries. */

import { tokens } from "./completion.ts";
import { type Json, objects, object, text } from "./json.ts";

export interface Filter {
  key: string;
  operator: string;
  value: string;
}

/** The variable of a dashboard that holds its filters. */
export interface FilterVariable {
  name: string;
  label: string;
  initial: Filter[];
  isHidden: boolean;
}

export const OPERATORS: readonly string[] = ["=", "!=", "=~", "!~"];

/** The most filters, each of which makes every query longer. */
export const MOST_FILTERS = 20;

/** In addresses Grafana joins the parts by `|`, which it escapes in them. */
export const writtenFilter = ({ key, operator, value }: Filter): string => [key, operator, value].map((part) => part.replaceAll("|", "__gfp__")).join("|");

/** `undefined` if it is none, or has another operator. */
export const filterOf = (written: string): Filter | undefined => {
  const parts = written.split("|").map((part) => part.replaceAll("__gfp__", "|"));
  const [key = "", operator = "", value] = parts;
  return parts.length !== 3 || key === "" || !OPERATORS.includes(operator) || value === undefined ? undefined : { key, operator, value };
};

/** The first variable of this type. Each part that is not supported is named. */
export const filtersIn = (templating: unknown): { filters: FilterVariable | undefined; unsupported: string[] } => {
  const [first, ...others] = objects(object(templating).list).filter(({ type }) => type === "adhoc");
  if (first === undefined) return { filters: undefined, unsupported: [] };
  const name = text(first.name) ?? "";
  const given = [...objects(first.baseFilters), ...objects(first.filters)];
  const written = ({ key, operator, value }: Json) => [key, operator, value].map((part) => text(part) ?? "");
  const read = given.map((one) => filterOf(written(one).map((part) => part.replaceAll("|", "__gfp__")).join("|")));
  const unread = given.filter((_, at) => read[at] === undefined).map((one) => `filter ${written(one).join(" ")}`);
  return {
    filters: { name, label: text(first.label) || name, initial: read.filter((one) => one !== undefined), isHidden: first.hide === 2 },
    unsupported: [...unread, ...others.map((one) => `variable ${text(one.name)}: a second one of filters`)],
  };
};

/** The filters that are chosen, or else the initial ones. */
export const chosenFilters = (variable: FilterVariable | undefined, chosen: readonly string[] | undefined): Filter[] =>
  variable === undefined ? [] : chosen === undefined ? variable.initial : chosen.flatMap((one) => filterOf(one) ?? []).slice(0, MOST_FILTERS);

/** The choice of these filters. Without any, an empty text says that the initial ones are not meant. */
export const chosenOf = (variable: FilterVariable, filters: readonly Filter[]): string[] =>
  filters.length > 0 || variable.initial.length === 0 ? filters.map(writtenFilter) : [""];

const GROUPING = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const KEYWORDS = [...GROUPING, "offset", "bool", "and", "or", "unless", "atan2", "inf", "nan"];

/** The query with the filters in each of its selectors. Variables are to be inserted before. */
export const filtered = (query: string, filters: readonly Filter[]): string => {
  if (filters.length === 0) return query;
  const label = (key: string) => (/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key));
  const matchers = filters.map(({ key, operator, value }) => `${label(key)}${operator}${JSON.stringify(value)}`).join(",");
  const all = tokens(query).filter(({ kind }) => kind !== "comment");
  const added: { at: number; text: string }[] = [];
  /** The open brackets; `labels` for the parentheses of a grouping. */
  const open: string[] = [];
  all.forEach(({ kind, text, end }, at) => {
    const [before, next] = [all[at - 1], all[at + 1]];
    if (kind === "symbol") {
      if (text === "{" && open.at(-1) !== "{") added.push({ at: end, text: next?.text === "}" ? matchers : `${matchers},` });
      if (text === "(") open.push(before?.kind === "word" && GROUPING.includes(before.text.toLowerCase()) ? "labels" : "(");
      else if ("{[".includes(text)) open.push(text);
      else if (")]}".includes(text)) open.pop();
      return;
    }
    if (kind !== "word" || ["{", "[", "labels"].includes(open.at(-1) ?? "") || KEYWORDS.includes(text.toLowerCase())) return;
    // A function, the name before a selector's braces, an aggregation before its grouping, a modifier after a range, and a macro.
    if (next?.text === "(" || next?.text === "{" || ["by", "without"].includes(next?.text.toLowerCase() ?? "") || before?.text === "]" || before?.text === "$") return;
    added.push({ at: end, text: `{${matchers}}` });
  });
  return added.reduceRight((query, { at, text }) => query.slice(0, at) + text + query.slice(at), query);
};
