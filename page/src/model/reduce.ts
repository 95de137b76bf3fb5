/** Calculations that reduce the values of a series to one. */

type Calculation = (values: number[]) => number | null;

const last: Calculation = (values) => values.at(-1) ?? null;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** By Grafana's identifiers; the values that are known. */
const CALCULATIONS: Record<string, Calculation> = {
  lastNotNull: last,
  last,
  firstNotNull: (values) => values[0] ?? null,
  first: (values) => values[0] ?? null,
  min: (values) => (values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b))),
  max: (values) => (values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b))),
  mean: (values) => (values.length === 0 ? null : sum(values) / values.length),
  sum: (values) => (values.length === 0 ? null : sum(values)),
  count: (values) => values.length,
  range: (values) => (values.length === 0 ? null : Math.max(...values) - Math.min(...values)),
  delta: (values) => (values.length === 0 ? null : (values.at(-1) ?? 0) - (values[0] ?? 0)),
};

/** The names of the columns of legends, as Grafana titles them. */
const TITLES: Record<string, string> = {
  lastNotNull: "Last *",
  last: "Last",
  firstNotNull: "First *",
  first: "First",
  min: "Min",
  max: "Max",
  mean: "Mean",
  sum: "Total",
  count: "Count",
  range: "Range",
  delta: "Delta",
};

export const isCalculation = (name: string): boolean => name in CALCULATIONS;
export const titleOf = (name: string): string => TITLES[name] ?? name;

/** `null` if no value is known. `last` and `first` are the values at the ends, known or not. */
export const reduce = (name: string, values: (number | null)[]): number | null => {
  if (name === "last") return values.at(-1) ?? null;
  if (name === "first") return values[0] ?? null;
  const known = values.filter((value) => value !== null);
  return CALCULATIONS[name]?.(known) ?? null;
};
