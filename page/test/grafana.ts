/** Panels of each type as Grafana 10, 11 and 12 export them, with every default written out. */

export type Version = 10 | 11 | 12;

export const VERSIONS: readonly Version[] = [10, 11, 12];

/** `schemaVersion` and the version of the panels' plugins. */
const SCHEMAS = { 10: 38, 11: 39, 12: 41 };
const PLUGINS = { 10: "10.4.3", 11: "11.6.0", 12: "12.2.0" };

/** What was added in a version is in all later ones. */
const since = (first: Version, version: Version, added: object): object => (version >= first ? added : {});

const datasource = { type: "prometheus", uid: "${DS_PROMETHEUS}" };

/** The first step of thresholds has no value; up to version 11 that is a `null`. */
const thresholds = (version: Version) => ({ mode: "absolute", steps: [{ color: "green", ...(version < 12 ? { value: null } : { value: 0 }) }, { color: "red", value: 80 }] });

const hideFrom = { legend: false, tooltip: false, viz: false };

const series = (version: Version) => ({
  axisCenteredZero: false,
  axisColorMode: "text",
  axisLabel: "",
  axisPlacement: "auto",
  barAlignment: 0,
  drawStyle: "line",
  fillOpacity: 0,
  gradientMode: "none",
  hideFrom,
  insertNulls: false,
  lineInterpolation: "linear",
  lineWidth: 1,
  pointSize: 5,
  scaleDistribution: { type: "linear" },
  showPoints: "auto",
  spanNulls: false,
  stacking: { group: "A", mode: "none" },
  thresholdsStyle: { mode: "off" },
  ...since(11, version, { axisBorderShow: false, barWidthFactor: 0.6 }),
  ...since(12, version, { showValues: false }),
});

const legend = { calcs: [], displayMode: "list", placement: "bottom", showLegend: true };
const tooltip = (version: Version) => ({ mode: "single", sort: "none", ...since(11, version, { hideZeros: false }) });
const reduceOptions = { calcs: ["lastNotNull"], fields: "", values: false };

const cells = (version: Version) => ({
  align: "auto",
  cellOptions: { type: "auto" },
  inspect: false,
  ...since(12, version, { footer: { reducers: [] } }),
});

interface Shape {
  custom?: object;
  options: object;
}

const SHAPES: Record<string, (version: Version) => Shape> = {
  timeseries: (version) => ({ custom: series(version), options: { legend, tooltip: tooltip(version) } }),
  stat: (version) => ({
    options: {
      colorMode: "value",
      graphMode: "area",
      justifyMode: "auto",
      orientation: "auto",
      reduceOptions,
      showPercentChange: false,
      textMode: "auto",
      wideLayout: true,
      ...since(11, version, { percentChangeColorMode: "standard" }),
    },
  }),
  gauge: () => ({ options: { minVizHeight: 75, minVizWidth: 75, orientation: "auto", reduceOptions, showThresholdLabels: false, showThresholdMarkers: true, sizing: "auto" } }),
  bargauge: (version) => ({
    options: {
      displayMode: "gradient",
      maxVizHeight: 300,
      minVizHeight: 16,
      minVizWidth: 8,
      namePlacement: "auto",
      orientation: "auto",
      reduceOptions,
      showUnfilled: true,
      sizing: "auto",
      valueMode: "color",
      ...since(11, version, { legend: { calcs: [], displayMode: "list", placement: "bottom", showLegend: false } }),
    },
  }),
  table: (version) => ({
    custom: cells(version),
    options: { cellHeight: "sm", showHeader: true, ...(version < 12 ? { footer: { countRows: false, fields: "", reducer: ["sum"], show: false } } : {}) },
  }),
  "state-timeline": (version) => ({
    custom: { fillOpacity: 70, hideFrom, insertNulls: false, lineWidth: 0, spanNulls: false, ...since(11, version, { axisPlacement: "auto" }) },
    options: { alignValue: "left", legend, mergeValues: true, rowHeight: 0.9, showValue: "auto", tooltip: tooltip(version), ...since(11, version, { perPage: 20 }) },
  }),
  text: () => ({ options: { code: { language: "plaintext", showLineNumbers: false, showMiniMap: false }, content: "# Title", mode: "markdown" } }),
};

export const TYPES: readonly string[] = Object.keys(SHAPES);

/** A panel with one query. The changes replace whole keys. */
export const panelOf = (type: string, version: Version, changes: object = {}): object => {
  const { custom, options } = SHAPES[type]?.(version) ?? { options: {} };
  const query = type === "table" ? { format: "table", instant: true, range: false } : { instant: false, range: true };
  const queried = {
    fieldConfig: { defaults: { color: { mode: "palette-classic" }, ...(custom === undefined ? {} : { custom }), mappings: [], thresholds: thresholds(version) }, overrides: [] },
    targets: [{ datasource, editorMode: "code", expr: "up", legendFormat: "__auto", refId: "A", ...query }],
  };
  return {
    datasource,
    description: "",
    ...(type === "text" ? { fieldConfig: { defaults: {}, overrides: [] } } : queried),
    gridPos: { h: 8, w: 12, x: 0, y: 0 },
    id: 1,
    options,
    pluginVersion: PLUGINS[version],
    title: "Panel Title",
    transparent: false,
    type,
    ...changes,
  };
};

/** A dashboard as *Export* writes it, with its inputs. */
export const dashboardJson = (version: Version, panels: readonly object[]): object => ({
  __inputs: [{ name: "DS_PROMETHEUS", label: "prometheus", description: "", type: "datasource", pluginId: "prometheus", pluginName: "Prometheus" }],
  __elements: {},
  __requires: [{ type: "grafana", id: "grafana", name: "Grafana", version: PLUGINS[version] }],
  annotations: { list: [{ builtIn: 1, datasource: { type: "grafana", uid: "-- Grafana --" }, enable: true, hide: true, iconColor: "rgba(0, 211, 255, 1)", name: "Annotations & Alerts", type: "dashboard" }] },
  editable: true,
  fiscalYearStartMonth: 0,
  graphTooltip: 0,
  id: null,
  links: [],
  panels,
  ...(version < 12 ? { refresh: "", liveNow: false } : { preload: false }),
  schemaVersion: SCHEMAS[version],
  tags: [],
  templating: { list: [] },
  time: { from: "now-6h", to: "now" },
  timepicker: {},
  timezone: "browser",
  title: `Exported by Grafana ${version}`,
  uid: "a1b2c3",
  version: 1,
  weekStart: "",
});
