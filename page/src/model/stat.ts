/** The single values of stat, gauge and bar gauge panels. */

import type { Theme } from "./colors.ts";
import type { Panel } from "./dashboard.ts";
import { type Display, type Field, display, seriesColor } from "./field.ts";
import type { Frame } from "./frame.ts";
import { object, texts } from "./json.ts";
import { linesOf } from "./plot.ts";
import { reduce } from "./reduce.ts";

export interface Single {
  name: string;
  field: Field;
  value: number | null;
  display: Display;
  color: string;
  /** The values over time, for a sparkline. */
  values: (number | null)[];
}

export const singlesOf = (panel: Panel, frame: Frame, theme: Theme): Single[] => {
  const calculation = texts(object(panel.options.reduceOptions).calcs)[0] ?? "lastNotNull";
  return linesOf(panel, frame, theme).map(({ name, field, values }, at) => {
    const value = reduce(calculation, values);
    const shown = display(field, value, theme);
    const isByValue = field.color.mode === "thresholds";
    const color = isByValue ? (shown.color ?? "inherit") : seriesColor(field, at, value, theme);
    return { name, field, value, display: shown, color, values };
  });
};

/** The part of the range from minimum to maximum, from 0 to 1. Without limits, the range is that of all values. */
export const part = ({ field, value }: Single, all: Single[]): number => {
  const known = all.flatMap((one) => one.value ?? []);
  const min = field.min ?? Math.min(0, ...known);
  const max = field.max ?? Math.max(...known, min + Number.MIN_VALUE);
  return value === null ? 0 : Math.min(Math.max((value - min) / (max - min || 1), 0), 1);
};
