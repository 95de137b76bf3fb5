/** The dashboards of the server, their variables and their annotations. */

import { type Dashboard, dashboardOf } from "../model/dashboard.ts";
import { type Filter, filtered } from "../model/filters.ts";
import { nameOf, sampled } from "../model/frame.ts";
import { objects, object, text, texts } from "../model/json.ts";
import { safeLink } from "../model/links.ts";
import { aligned, type Interval, macros, stepFor } from "../model/time.ts";
import { choices, insert, insertionOf, selected, type Selection, type Variable } from "../model/variables.ts";
import { json, query } from "./api.ts";
import type { Insertions } from "./data.ts";

export interface Listed {
  name: string;
  title: string;
}

export interface Available {
  /** The first one is shown with the status. */
  dashboards: Listed[];
  /** Why files are no dashboards. */
  problems: string[];
  /** The address of Grafana, if it is configured. */
  grafana: string | undefined;
}

export const available = async (language: string, signal: AbortSignal): Promise<Available> => {
  const { dashboards, problems, grafana } = object(await json(`dashboards?lang=${language}`, signal));
  return {
    dashboards: objects(dashboards).map((one) => ({ name: text(one.name) ?? "", title: text(one.title) ?? "" })),
    problems: texts(problems),
    grafana: safeLink(text(grafana)),
  };
};

export const dashboard = async (name: string, language: string, signal: AbortSignal): Promise<Dashboard> =>
  dashboardOf(await json(`dashboards/${encodeURIComponent(name)}?lang=${language}`, signal));

/** A variable with the values to choose from and the chosen ones. */
export interface Choice {
  variable: Variable;
  among: string[];
  chosen: string[];
}

const found = async ({ source }: Variable, interval: Interval, insertions: Insertions, signal: AbortSignal): Promise<string[]> => {
  if ("values" in source) return source.values;
  const parameters: Record<string, string> = { start: String(interval.from), end: String(interval.to) };
  if (source.metric !== "") parameters["match[]"] = insert(source.metric, { ...insertions, ...macros(interval, 60) });
  return texts(await query(`label/${encodeURIComponent(source.label)}/values`, parameters, signal));
};

export const insertionsOf = (made: readonly Choice[]): Insertions =>
  Object.fromEntries(made.map(({ variable, chosen, among }) => [variable.name, insertionOf(variable, chosen, among)]));

/** Each variable may refer to those before it. */
export const choicesOf = async (variables: Variable[], selection: Selection, interval: Interval, signal: AbortSignal): Promise<Choice[]> => {
  const made: Choice[] = [];
  for (const variable of variables) {
    const among = choices(variable, await found(variable, interval, insertionsOf(made), signal));
    made.push({ variable, among, chosen: selected(variable, selection[variable.name], among) });
  }
  return made;
};

export interface Marked {
  time: number;
  title: string;
  color: string;
}

/** The most marks of an annotation. */
const MOST = 100;

/** The times that the values of the annotations are, in the interval. */
export const marksOf = async ({ annotations }: Dashboard, interval: Interval, insertions: Insertions, filters: readonly Filter[], signal: AbortSignal): Promise<Marked[]> => {
  const step = stepFor(interval, 200);
  const { from, to } = aligned(interval, step);
  const all = annotations.map(async ({ expr, title, color }) => {
    const expression = filtered(insert(expr, { ...insertions, ...macros(interval, step) }), filters);
    const series = sampled(await query("query_range", { query: expression, start: String(from), end: String(to), step: String(step) }, signal));
    const marks = series.flatMap(({ labels, samples }) => {
      const times = new Set(samples.map(([, value]) => Math.round(value / 1000)));
      return [...times].map((time) => ({ time, title: nameOf(labels, title), color }));
    });
    return marks.filter(({ time }) => time >= interval.from && time <= interval.to).slice(0, MOST);
  });
  return (await Promise.all(all)).flat();
};
