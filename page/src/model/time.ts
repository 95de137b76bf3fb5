/** Time ranges, and the steps at which they are evaluated. */

/** A range in the syntax of Grafana: `now-3h`, or milliseconds since the epoch. */
export interface Range {
  from: string;
  to: string;
}

/** Seconds since the epoch. */
export interface Interval {
  from: number;
  to: number;
}

/** The time between two scrapes, in seconds. */
export const SCRAPE = 15;

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** A duration such as `15s`, in seconds. */
export const duration = (text: string): number | undefined => {
  const parts = /^(\d+)(ms|[smhdwy])$/.exec(text);
  const unit = UNITS[parts?.[2] ?? ""];
  return parts === null || unit === undefined ? undefined : Number(parts[1]) * unit;
};

/** The time in seconds; `undefined` if it is not one. */
export const moment = (text: string, now: number): number | undefined => {
  if (text === "now") return now;
  if (/^\d{10,14}$/.test(text)) return Number(text) / 1000;
  const ago = text.startsWith("now-") ? duration(text.slice(4)) : undefined;
  return ago === undefined ? undefined : now - ago;
};

/** The interval of a range; `undefined` if it is not one, or empty. */
export const interval = (range: Range, now: number): Interval | undefined => {
  const [from, to] = [moment(range.from, now), moment(range.to, now)];
  return from === undefined || to === undefined || from >= to ? undefined : { from, to };
};

/** Whether the range moves with the time. */
export const isLive = (range: Range): boolean => range.to === "now";

const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** The step in seconds for about this many points, at least `least`. */
export const stepFor = ({ from, to }: Interval, points: number, least = SCRAPE): number => {
  const wanted = Math.max((to - from) / Math.max(points, 1), least);
  return STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400;
};

/** The interval on multiples of the step, so that consecutive refreshes evaluate the same times. */
export const aligned = ({ from, to }: Interval, step: number): Interval => ({
  from: Math.floor(from / step) * step,
  to: Math.floor(to / step) * step,
});

/** A duration in PromQL: the largest unit that divides it. */
export const promDuration = (seconds: number): string => {
  const whole = Math.max(1, Math.round(seconds));
  const [unit, size] = Object.entries(UNITS).findLast(([name, size]) => name !== "y" && size >= 1 && whole % size === 0) ?? ["s", 1];
  return `${whole / size}${unit}`;
};

/** The macros of a query at this step. `$__rate_interval` contains at least four scrapes, as Grafana computes it. */
export const macros = ({ from, to }: Interval, step: number): Record<string, string> => {
  const range = Math.round(to - from);
  return {
    __interval: promDuration(step),
    __interval_ms: String(step * 1000),
    __rate_interval: promDuration(Math.max(step + SCRAPE, 4 * SCRAPE)),
    __range: promDuration(range),
    __range_s: String(range),
    __range_ms: String(range * 1000),
    __from: String(Math.round(from * 1000)),
    __to: String(Math.round(to * 1000)),
  };
};
