/** A dashboard as Grafana exports it: its rows of panels, and what of each is not supported. */

import { type Json, flag, isObject, number, object, objects, text } from "./json.ts";
import { type FilterVariable, filtersIn } from "./filters.ts";
import { unsupportedIn } from "./support.ts";
import type { Range } from "./time.ts";
import type { Transform } from "./transform.ts";
import { type Variable, variablesOf } from "./variables.ts";

export interface Target {
  refId: string;
  expr: string;
  legend: string | undefined;
  isInstant: boolean;
  /** The minimum step, as written. */
  interval: string | undefined;
}

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** What a panel is repeated by. */
export interface Repeat {
  variable: string;
  /** One below the other, instead of side by side. */
  isVertical: boolean;
  /** The most panels side by side. */
  perRow: number;
}

/** The value of each variable that a copy stands for. */
export type Scope = Readonly<Record<string, string>>;

export interface Panel {
  id: number;
  type: string;
  title: string;
  description: string;
  /** In the 24 columns of Grafana; rows of 30 px. */
  place: Place;
  targets: Target[];
  options: Json;
  fieldConfig: Json;
  transforms: Transform[];
  repeat: Repeat | undefined;
  /** Of a copy. */
  scope: Scope;
  /** What the page cannot draw; the panel is then not drawn. */
  unsupported: string[];
}

/** A row with its panels; the first one has no title if panels precede the first row. */
export interface Section {
  title: string;
  /** The variable that it is repeated by. */
  repeat: string | undefined;
  /** Of a copy. */
  scope: Scope;
  isCollapsed: boolean;
  panels: Panel[];
}

export interface Annotation {
  name: string;
  expr: string;
  title: string;
  color: string;
}

export interface Dashboard {
  /** Its name in Grafana's addresses, if it has one. */
  uid: string | undefined;
  title: string;
  description: string;
  time: Range;
  /** In seconds; 0 for never. */
  refresh: string;
  sections: Section[];
  variables: Variable[];
  filters: FilterVariable | undefined;
  annotations: Annotation[];
  /** Parts of the dashboard, besides panels, that the page does not support. */
  unsupported: string[];
}

const targetOf = (json: Json, ofPanel: string | undefined): Target => ({
  refId: text(json.refId) ?? "A",
  expr: text(json.expr) ?? "",
  legend: text(json.legendFormat),
  isInstant: flag(json.instant) === true && flag(json.range) !== true,
  interval: text(json.interval) || ofPanel || undefined,
});

const placeOf = (json: unknown): Place => {
  const { x, y, w, h } = object(json);
  const width = Math.min(Math.max(number(w) ?? 12, 1), 24);
  return { x: Math.min(Math.max(number(x) ?? 0, 0), 24 - width), y: number(y) ?? 0, w: width, h: Math.max(number(h) ?? 8, 1) };
};

/** Panels side by side, if the JSON does not say it. */
const PER_ROW = 4;

const repeatOf = (json: Json): Repeat | undefined => {
  const variable = text(json.repeat) || undefined;
  return variable === undefined ? undefined : { variable, isVertical: json.repeatDirection === "v", perRow: Math.min(Math.max(number(json.maxPerRow) ?? PER_ROW, 1), 24) };
};

const panelOf = (json: Json): Panel => ({
  id: number(json.id) ?? 0,
  type: text(json.type) ?? "",
  title: text(json.title) ?? "",
  description: text(json.description) ?? "",
  place: placeOf(json.gridPos),
  targets: objects(json.targets).filter((target) => target.hide !== true).map((target) => targetOf(target, text(json.interval))),
  options: object(json.options),
  fieldConfig: object(json.fieldConfig),
  transforms: objects(json.transformations)
    .filter((one) => one.disabled !== true)
    .map((one) => ({ id: text(one.id) ?? "", options: object(one.options) })),
  repeat: repeatOf(json),
  scope: {},
  unsupported: unsupportedIn(json),
});

const UNTITLED: Section = { title: "", repeat: undefined, scope: {}, isCollapsed: false, panels: [] };

/** Panels lie below the row that precedes them; those of a collapsed row are inside of it. */
const sectionsOf = (panels: unknown): Section[] => {
  const sections: Section[] = [];
  // Versions before Grafana 11 keep copies of repeated panels in the file.
  const isOriginal = (json: Json) => json.repeatPanelId === undefined || json.repeatPanelId === null;
  const inOrder = objects(panels).filter(isOriginal).toSorted((a, b) => {
    const [first, second] = [placeOf(a.gridPos), placeOf(b.gridPos)];
    return first.y - second.y || first.x - second.x;
  });
  for (const json of inOrder) {
    if (json.type === "row") {
      const inside = objects(json.panels).filter(isOriginal).map(panelOf);
      sections.push({ ...UNTITLED, title: text(json.title) ?? "", repeat: text(json.repeat) || undefined, isCollapsed: flag(json.collapsed) ?? false, panels: inside });
    } else {
      if (sections.length === 0) sections.push({ ...UNTITLED, panels: [] });
      sections.at(-1)?.panels.push(panelOf(json));
    }
  }
  return sections.filter((section) => section.panels.length > 0);
};

const annotationsOf = (json: unknown): { annotations: Annotation[]; unsupported: string[] } => {
  const wanted = objects(object(json).list).filter((one) => one.enable !== false && one.hide !== true && one.builtIn !== 1);
  const annotations: Annotation[] = [];
  const unsupported: string[] = [];
  for (const one of wanted) {
    const name = text(one.name) ?? "";
    const expr = text(object(one.target).expr) ?? text(one.expr);
    if (expr === undefined || one.useValueForTime !== true) unsupported.push(`annotation ${name}`);
    else annotations.push({ name, expr, title: text(one.titleFormat) || name, color: text(one.iconColor) ?? "purple" });
  }
  return { annotations, unsupported };
};

/**
 * The classic model, also inside of a resource of Grafana 12 (`dashboard.grafana.app/v1…`). `undefined` for the schema v2, which
 * has `elements` and a `layout` instead of panels.
 */
const classic = (json: unknown): Json | undefined => {
  const resource = object(json);
  const spec = object(resource.spec);
  if (isObject(spec.elements) || isObject(resource.elements)) return undefined;
  return text(resource.apiVersion) !== undefined && Array.isArray(spec.panels) ? spec : resource;
};

/** Reads a dashboard. A JSON without panels is an empty dashboard. */
export const dashboardOf = (json: unknown): Dashboard => {
  const dashboard = classic(json);
  if (dashboard === undefined) return { ...dashboardOf({}), title: text(object(object(json).spec).title) ?? "", unsupported: ["dashboard in the schema v2 of Grafana: export it in the classic model"] };
  const { variables, unsupported: ofVariables } = variablesOf(dashboard.templating);
  const { filters, unsupported: ofFilters } = filtersIn(dashboard.templating);
  const { annotations, unsupported: ofAnnotations } = annotationsOf(dashboard.annotations);
  const { from, to } = object(dashboard.time);
  return {
    uid: text(dashboard.uid) || undefined,
    title: text(dashboard.title) ?? "",
    description: text(dashboard.description) ?? "",
    time: { from: text(from) ?? "now-3h", to: text(to) ?? "now" },
    refresh: text(dashboard.refresh) ?? "",
    sections: sectionsOf(dashboard.panels),
    variables,
    filters,
    annotations,
    unsupported: [...ofVariables, ...ofFilters, ...ofAnnotations],
  };
};
