/**
 * What of a panel's JSON the page draws as Grafana does. Everything else is named in place of the panel, since a part that is
 * ignored could make the drawing wrong.
 */

import { MATCHERS } from "./field.ts";
import { type Json, isObject, list, object, objects, text } from "./json.ts";
import { MAPPINGS } from "./mapping.ts";
import { isCalculation } from "./reduce.ts";
import { TRANSFORMATIONS } from "./transform.ts";
import { isUnit } from "./units.ts";

/** Whether a value is drawn as Grafana does. */
type Check = (value: unknown) => boolean;

const any: Check = () => true;
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
/** Absent, or what absence means. */
const unset: Check = (value) => value === undefined || value === null || value === "" || value === false;
const inside =
  (key: string, check: Check): Check =>
  (value) =>
    check(object(value)[key] ?? undefined);
const absentOr =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

const TYPES = ["timeseries", "stat", "gauge", "bargauge", "table", "state-timeline", "text"];

/** The keys of `custom`. Appearance that does not change the meaning may have any value. */
const CUSTOM: Record<string, Check> = {
  align: any,
  axisBorderShow: any,
  axisCenteredZero: unset,
  axisColorMode: any,
  axisGridShow: any,
  axisLabel: any,
  axisPlacement: oneOf("auto", "left"),
  axisSoftMin: unset,
  axisSoftMax: unset,
  axisWidth: any,
  barAlignment: any,
  barWidthFactor: any,
  cellOptions: inside("type", oneOf("auto", "color-text", "color-background")),
  drawStyle: oneOf("line", "bars", "points"),
  fillOpacity: any,
  filterable: any,
  footer: (value) => list(object(value).reducers).length === 0,
  gradientMode: any,
  hidden: any,
  hideFrom: (value) => Object.values(object(value)).every(unset),
  insertNulls: unset,
  inspect: any,
  lineInterpolation: oneOf("linear", "smooth", "stepBefore", "stepAfter"),
  lineStyle: inside("fill", absentOr(oneOf("solid", "dash", "dot"))),
  lineWidth: any,
  minWidth: any,
  pointSize: any,
  scaleDistribution: inside("type", absentOr(oneOf("linear"))),
  showPoints: any,
  showValues: unset,
  spanNulls: oneOf(true, false),
  stacking: inside("mode", absentOr(oneOf("none", "normal"))),
  thresholdsStyle: inside("mode", absentOr(oneOf("off", "line", "dashed"))),
  width: any,
  wrapText: any,
};

const CONFIG: Record<string, Check> = {
  actions: (value) => objects(value).length === 0,
  color: (value) => ["palette-classic", "thresholds", "fixed", "shades", undefined].includes(text(object(value).mode)),
  decimals: any,
  description: any,
  displayName: any,
  fieldMinMax: unset,
  filterable: any,
  links: (value) => objects(value).length === 0,
  mappings: (value) => objects(value).every((mapping) => MAPPINGS.includes(text(mapping.type) ?? "")),
  max: any,
  min: any,
  noValue: any,
  thresholds: inside("mode", absentOr(oneOf("absolute", "percentage"))),
  unit: (value) => isUnit(text(value) ?? ""),
};

const shown = (value: unknown): string => {
  if (isObject(value)) return text(value.mode) ?? text(value.type) ?? text(value.fill) ?? "";
  return typeof value === "object" ? "" : String(value);
};

const describe = (key: string, value: unknown) => [key, shown(value)].filter((part) => part !== "").join(" ");

const checked = (json: Json, checks: Record<string, Check>, prefix = ""): string[] =>
  Object.entries(json).flatMap(([key, value]) => {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    return (check ?? unset)(value) ? [] : [describe(prefix + key, value)];
  });

const config = (json: Json): string[] => {
  const { custom, ...others } = json;
  return [...checked(others, CONFIG), ...checked(object(custom), CUSTOM)];
};

const overrides = (json: unknown): string[] =>
  objects(json).flatMap((override) => {
    const matcher = text(object(override.matcher).id) ?? "";
    const properties = objects(override.properties).flatMap(({ id, value }) => {
      const path = text(id) ?? "";
      return path.startsWith("custom.") ? checked({ [path.slice(7)]: value }, CUSTOM) : checked({ [path]: value }, CONFIG);
    });
    return [...(Object.hasOwn(MATCHERS, matcher) ? [] : [`override ${matcher}`]), ...properties];
  });

const isPrometheus = (datasource: unknown): boolean => {
  if (typeof datasource === "string") return datasource.startsWith("$") || /prometheus/i.test(datasource);
  const type = text(object(datasource).type);
  return type === undefined || type === "prometheus";
};

const targets = (json: Json): string[] =>
  objects(json.targets)
    .filter((target) => target.hide !== true)
    .flatMap((target) => {
      if (!isPrometheus(target.datasource ?? json.datasource)) return [`data source ${text(object(target.datasource ?? json.datasource).type) ?? ""}`];
      if (text(target.expr) === undefined) return ["a query that is not PromQL"];
      const found: string[] = [];
      if (json.type === "table" && (target.format !== "table" || target.instant !== true)) found.push("a table of a range of time");
      if (json.type !== "table" && !["time_series", undefined].includes(text(target.format))) found.push(`format ${text(target.format)}`);
      return found;
    });

const options = (json: Json): string[] => {
  const { reduceOptions, legend, textMode, mode, footer, showPercentChange, showThresholdLabels } = object(json.options);
  const { values, fields, calcs } = object(reduceOptions);
  const found: string[] = [];
  if (values === true) found.push("all values");
  if (text(fields) !== undefined && fields !== "") found.push(`fields ${text(fields)}`);
  const calculations = [calcs, object(legend).calcs].flatMap((one) => (Array.isArray(one) ? one : []));
  found.push(...calculations.filter((one) => !isCalculation(String(one))).map((one) => `calculation ${String(one)}`));
  if (json.type === "stat" && !["auto", "value", "value_and_name", "name", "none", undefined].includes(text(textMode))) found.push(`text mode ${text(textMode)}`);
  if (json.type === "stat" && showPercentChange === true) found.push("percent change");
  if (json.type === "gauge" && showThresholdLabels === true) found.push("labels of thresholds");
  if (json.type === "text" && mode === "html") found.push("HTML");
  if (object(footer).show === true) found.push("a footer of a table");
  return found;
};

/** The features of a panel that the page does not support, by the names in the JSON. */
export const unsupportedIn = (panel: Json): string[] => {
  const type = text(panel.type) ?? "";
  if (!TYPES.includes(type)) return [`panel ${type}`];
  const transformations = objects(panel.transformations)
    .filter((one) => one.disabled !== true)
    .map((one) => text(one.id) ?? "");
  const ofTransformations = transformations.filter((id) => !Object.hasOwn(TRANSFORMATIONS, id) || type !== "table");
  const severalTables = type === "table" && objects(panel.targets).length > 1 && !transformations.includes("merge");
  const found = [
    ...(panel.libraryPanel === undefined ? [] : ["library panel"]),
    ...(unset(panel.timeFrom) && unset(panel.timeShift) ? [] : ["its own time range"]),
    ...ofTransformations.map((id) => `transformation ${id}`),
    ...(severalTables ? ["several queries in a table"] : []),
    ...targets(panel),
    ...options(panel),
    ...config(object(object(panel.fieldConfig).defaults)),
    ...overrides(object(panel.fieldConfig).overrides),
  ];
  return [...new Set(found)];
};
