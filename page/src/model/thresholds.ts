/** The steps at which a value changes its colour. */

import { colorOf, type Theme } from "./colors.ts";
import { number, object, objects, text } from "./json.ts";

export interface Step {
  /** The first step begins at -Infinity. */
  from: number;
  color: string;
}

export interface Thresholds {
  /** Of the range from the field's minimum to its maximum. */
  isPercentage: boolean;
  /** In ascending order. */
  steps: Step[];
}

export const thresholdsOf = (json: unknown): Thresholds => {
  const { mode, steps } = object(json);
  const read = objects(steps).map((step) => ({ from: number(step.value) ?? -Infinity, color: text(step.color) ?? "text" }));
  return { isPercentage: mode === "percentage", steps: read.sort((a, b) => a.from - b.from) };
};

interface Range {
  thresholds: Thresholds;
  min: number | undefined;
  max: number | undefined;
}

/** The steps in the field's own unit. */
export const steps = ({ thresholds, min = 0, max = 100 }: Range): Step[] =>
  thresholds.isPercentage
    ? thresholds.steps.map((step) => ({ ...step, from: min + ((max - min) * step.from) / 100 }))
    : thresholds.steps;

/** Without steps, or without a value, the colour of text. */
export const thresholdColor = (field: Range, value: number | null, theme: Theme): string => {
  const step = value === null ? undefined : steps(field).findLast(({ from }) => value >= from);
  return colorOf(step?.color ?? "text", theme);
};
