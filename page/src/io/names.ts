/** The names that a query can be completed with. */

import type { Context, Option } from "../model/completion.ts";
import { list, object, objects, text, texts } from "../model/json.ts";
import type { Interval } from "../model/time.ts";
import { json, query } from "./api.ts";

/** The most names of a list. */
const MOST = "10000";
/** Milliseconds for which an answer is kept, and the most answers. */
const KEPT = 60_000;
const ANSWERS = 50;

const KEYWORDS = ["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless", "atan2"];
const DURATIONS = ["$__rate_interval", "1m", "5m", "15m", "30m", "1h", "6h", "12h", "1d", "$__interval", "$__range"];

const answers = new Map<string, { at: number; options: Promise<Option[]> }>();

const kept = (key: string, load: () => Promise<Option[]>): Promise<Option[]> => {
  const known = answers.get(key);
  if (known !== undefined && Date.now() - known.at < KEPT) return known.options;
  const options = load();
  answers.delete(key);
  answers.set(key, { at: Date.now(), options });
  options.catch(() => answers.delete(key));
  const oldest = answers.keys().next();
  if (answers.size > ANSWERS && oldest.done !== true) answers.delete(oldest.value);
  return options;
};

const plain = (names: readonly string[], kind: Option["kind"]): Option[] => names.map((name) => ({ text: name, kind, detail: "" }));

const callables = (found: unknown, kind: Option["kind"]): Option[] =>
  objects(found).map(({ name, arguments: types }) => ({ text: text(name) ?? "", kind, detail: `(${texts(types).join(", ")})` }));

const functions = async (): Promise<Option[]> => {
  const found = object(await json("vigie/v1/functions"));
  return [...callables(found.aggregations, "aggregation"), ...callables(found.functions, "function"), ...plain(KEYWORDS, "keyword")];
};

/** The help of a metric; a histogram's is that of its series too. */
const helpOf = (metric: string, metadata: Readonly<Record<string, unknown>>): string => {
  const found = metadata[metric] ?? metadata[metric.replace(/_(bucket|sum|count)$/, "")];
  const { type, help } = object(list(found)[0]);
  return [text(type), text(help)].filter((part) => part !== undefined && part !== "").join(": ");
};

const rangeOf = ({ from, to }: Interval): Record<string, string> => ({ start: String(from), end: String(to), limit: MOST });

const metrics = async (interval: Interval): Promise<Option[]> => {
  const [names, metadata] = await Promise.all([query("label/__name__/values", rangeOf(interval)), query("metadata", {})]);
  const known = object(metadata);
  return texts(names).map((name) => ({ text: name, kind: "metric", detail: helpOf(name, known) }));
};

const selecting = (selector: string): Record<string, string> => (selector === "" ? {} : { "match[]": selector });

/** The names of labels, without that of the metric. */
export const labels = async (interval: Interval): Promise<string[]> => texts(await query("labels", rangeOf(interval))).filter((name) => name !== "__name__");

/** The values of a label. */
export const valuesOf = async (label: string, interval: Interval): Promise<string[]> => texts(await query(`label/${encodeURIComponent(label)}/values`, rangeOf(interval)));

/** All options of a place in a query. Nothing is offered there while the server does not answer. */
export const optionsOf = async (context: Context, interval: Interval): Promise<Option[]> => {
  switch (context.kind) {
    case "duration":
      return plain(DURATIONS, "duration");
    case "label": {
      const { selector } = context;
      const names = () => query("labels", { ...rangeOf(interval), ...selecting(selector) });
      return kept(`labels ${selector}`, async () => plain(texts(await names()).filter((name) => name !== "__name__"), "label"));
    }
    case "value": {
      const { selector, label } = context;
      const values = () => query(`label/${encodeURIComponent(label)}/values`, { ...rangeOf(interval), ...selecting(selector) });
      return kept(`values ${label} ${selector}`, async () => plain(texts(await values()), "value"));
    }
    default: {
      const [names, others] = await Promise.all([kept("metrics", () => metrics(interval)), kept("functions", functions)]);
      return [...names, ...others];
    }
  }
};
