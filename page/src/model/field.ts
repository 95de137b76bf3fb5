/** The configuration of a field: the defaults of its panel with the overrides that match it. */

import { colorOf, paletteColor, type Theme } from "./colors.ts";
import type { Labels } from "./frame.ts";
import { type Json, number, object, objects, text } from "./json.ts";
import { type Mapping, mapped, mappingsOf } from "./mapping.ts";
import { regexOf } from "./regex.ts";
import { type Thresholds, thresholdColor, thresholdsOf } from "./thresholds.ts";
import { type Shown, show } from "./units.ts";

/** What identifies a field. */
export interface Named {
  name: string;
  type: "number" | "text" | "time";
  query: string;
  labels: Labels;
}

export interface Field {
  title: string;
  unit: string;
  decimals: number | undefined;
  min: number | undefined;
  max: number | undefined;
  noValue: string | undefined;
  color: { mode: string; fixed: string | undefined };
  thresholds: Thresholds;
  mappings: Mapping[];
  custom: Json;
}

type Matcher = (field: Named, options: unknown) => boolean;

export const MATCHERS: Record<string, Matcher> = {
  byName: (field, options) => field.name === options,
  byRegexp: (field, options) => regexOf(text(options) ?? "")?.test(field.name) ?? false,
  byType: (field, options) => (options === "string" ? "text" : options) === field.type,
  byFrameRefID: (field, options) => field.query === options,
};

/** Sets the value at a path such as `custom.lineWidth`, in copies. */
const withProperty = (config: Json, path: string, value: unknown): Json => {
  const at = path.indexOf(".");
  if (at < 0) return { ...config, [path]: value };
  const [head, rest] = [path.slice(0, at), path.slice(at + 1)];
  return { ...config, [head]: withProperty(object(config[head]), rest, value) };
};

/** The JSON of the configuration of one field. */
export const rawConfig = (fieldConfig: Json, field: Named): Json => {
  let config = object(fieldConfig.defaults);
  for (const override of objects(fieldConfig.overrides)) {
    const { id, options } = object(override.matcher);
    if (MATCHERS[text(id) ?? ""]?.(field, options) !== true) continue;
    for (const property of objects(override.properties)) config = withProperty(config, text(property.id) ?? "", property.value);
  }
  return config;
};

const titled = (title: string, field: Named): string =>
  title.replace(/\$\{__field\.(name|labels\.(\w+))\}/g, (_, part: string, label?: string) =>
    part === "name" || label === undefined ? field.name : (field.labels[label] ?? ""),
  );

export const fieldOf = (fieldConfig: Json, named: Named): Field => {
  const config = rawConfig(fieldConfig, named);
  const title = text(config.displayName);
  const color = object(config.color);
  return {
    title: title === undefined || title === "" ? named.name : titled(title, named),
    unit: text(config.unit) ?? "",
    decimals: number(config.decimals),
    min: number(config.min),
    max: number(config.max),
    noValue: text(config.noValue),
    color: { mode: text(color.mode) ?? "thresholds", fixed: text(color.fixedColor) },
    thresholds: thresholdsOf(config.thresholds),
    mappings: mappingsOf(config.mappings),
    custom: object(config.custom),
  };
};

/** The colour of a whole series; `last` is the value that decides if it is coloured by value. */
export const seriesColor = (field: Field, at: number, last: number | null, theme: Theme): string => {
  if (field.color.mode === "fixed" || field.color.mode === "shades") return colorOf(field.color.fixed ?? "gray", theme);
  if (field.color.mode === "thresholds") return thresholdColor(field, last, theme);
  return paletteColor(at, theme);
};

export interface Display extends Shown {
  /** `undefined` for the colour of text. */
  color: string | undefined;
}

/** A value as its field shows it: mapped, or with its unit; with the colour of the mapping or of the threshold. */
export const display = (field: Field, value: number | string | null, theme: Theme): Display => {
  const mapping = mapped(field.mappings, value);
  const number = typeof value === "number" ? value : null;
  const color = mapping?.color === undefined ? thresholdColor(field, number, theme) : colorOf(mapping.color, theme);
  if (mapping?.text !== undefined) return { text: mapping.text, unit: "", color };
  if (typeof value === "string") return { text: value, unit: "", color: mapping?.color === undefined ? undefined : color };
  if (value === null && field.noValue !== undefined) return { text: field.noValue, unit: "", color };
  return { ...show(value, field.unit, field.decimals), color };
};
