/** A panel: its title, and its drawing or the reason for which there is none. */

import { useEffect, useRef, useState } from "preact/hooks";

import { type Insertions, panelData, type PanelData } from "../io/data.ts";
import { useLoaded, useSize, useVisible } from "../io/hooks.ts";
import type { Panel as Model } from "../model/dashboard.ts";
import { exported } from "../model/export.ts";
import type { Filter } from "../model/filters.ts";
import type { Interval } from "../model/time.ts";
import { references } from "../model/variables.ts";
import { Actions, type Link } from "./actions.tsx";
import type { Mark } from "./axes.ts";
import { useSurroundings } from "./context.ts";
import { DataTable } from "./datatable.tsx";
import { Failure } from "./failure.tsx";
import { BarGauge, Gauge, Stat } from "./singles.tsx";
import { StateTimeline } from "./statetimeline.tsx";
import { TablePanel } from "./table.tsx";
import { TextPanel } from "./text.tsx";
import { TimeSeries } from "./timeseries.tsx";

interface Props {
  panel: Model;
  /** The row of the grid in which the section begins. */
  firstRow: number;
  interval: Interval;
  /** Of the variables that are known so far. */
  insertions: Insertions;
  /** Conditions that are added to its queries. */
  filters?: readonly Filter[];
  /** Variables that are still being loaded. */
  awaited: readonly string[];
  marks: readonly Mark[];
  onZoom: (interval: Interval) => void;
  /** Where its queries can be opened. */
  links: readonly Link[];
  /** Goes to the place of an error in the query. */
  onPoint?: (at: number) => void;
}

/** The data of a panel, and its time range. */
interface Loaded {
  data: PanelData;
  interval: Interval;
}

interface Shown extends Props {
  onLoad: (loaded: Loaded | undefined) => void;
  /** The data of a chart is shown as a table. */
  isTable: boolean;
  isVisible: boolean;
  width: number | undefined;
}

const NO_FILTERS: readonly Filter[] = [];

/** The most points of a series. */
const POINTS = 500;

/** Panels that are charts; the others are text already. */
const isChart = ({ type, unsupported }: Model): boolean => unsupported.length === 0 && (type === "timeseries" || type === "state-timeline");

const drawing = ({ panel, interval, marks, onZoom, isTable }: Shown, { table, frame }: PanelData) => {
  if (table !== undefined) return <TablePanel panel={panel} table={table} now={interval.to} />;
  if (frame === undefined) return undefined;
  if (isTable) return <DataTable panel={panel} frame={frame} now={interval.to} />;
  switch (panel.type) {
    case "stat":
      return <Stat panel={panel} frame={frame} />;
    case "gauge":
      return <Gauge panel={panel} frame={frame} />;
    case "bargauge":
      return <BarGauge panel={panel} frame={frame} />;
    case "state-timeline":
      return <StateTimeline panel={panel} frame={frame} interval={interval} marks={marks} onZoom={onZoom} />;
    default:
      return <TimeSeries panel={panel} frame={frame} interval={interval} marks={marks} onZoom={onZoom} />;
  }
};

const isEmpty = ({ table, frame }: PanelData): boolean =>
  table === undefined ? !frame?.series.some(({ values }) => values.some((value) => value !== null)) : table.columns.length === 0 || table.columns[0]?.cells.length === 0;

const Body = (props: Shown) => {
  const { panel, interval, insertions, filters = NO_FILTERS, awaited, isVisible, width } = props;
  const { texts } = useSurroundings();
  const used = [...new Set(panel.targets.flatMap(({ expr }) => references(expr)))];
  const isWaiting = [...used, panel.repeat?.variable ?? ""].some((name) => awaited.includes(name));
  // Other variables do not change the data, so the chart stays while they are loaded.
  const inserted = used.map((name) => (Object.hasOwn(insertions, name) ? insertions[name] : undefined));
  const isDrawn = panel.unsupported.length === 0 && panel.type !== "text";
  const points = Math.min(Math.max(Math.round((width ?? 0) / 100) * 100, 100), POINTS);
  const load = isDrawn && isVisible && !isWaiting && width !== undefined ? (signal: AbortSignal) => panelData(panel, interval, points, insertions, filters, signal).then((data) => ({ data, interval })) : undefined;
  const { value, error, isLoading } = useLoaded<Loaded>(load, JSON.stringify([panel.id, panel.targets, inserted, filters]), [interval.from, interval.to, points, isVisible, isWaiting]);
  useEffect(() => props.onLoad(value), [value]);
  if (panel.unsupported.length > 0) {
    return (
      <div class="notice">
        <b>{texts.unsupported}</b>
        <span>{panel.unsupported.join(", ")}</span>
      </div>
    );
  }
  if (panel.type === "text") return <TextPanel panel={panel} />;
  if (error !== undefined) return <Failure title={texts.queryFails} error={error} onPoint={props.onPoint} />;
  if (value === undefined) return <div class="notice quiet">{isLoading ? `${texts.loading}…` : ""}</div>;
  if (isEmpty(value.data)) return <div class="notice quiet">{texts.noData}</div>;
  // Data and axis change together.
  return drawing({ ...props, interval: value.interval }, value.data) ?? null;
};

export const Panel = (props: Props) => {
  const { panel, firstRow } = props;
  const { texts } = useSurroundings();
  const [element, isVisible] = useVisible<HTMLElement>();
  const [body, size] = useSize<HTMLDivElement>();
  const [isExplained, explain] = useState(false);
  const [isTable, showTable] = useState(false);
  const [warnings, warn] = useState<readonly string[]>([]);
  const loaded = useRef<Loaded | undefined>(undefined);
  const load = (value: Loaded | undefined) => {
    loaded.current = value;
    warn(value?.data.warnings ?? []);
  };
  const content = () => (loaded.current === undefined ? undefined : exported(panel.title, loaded.current.interval, loaded.current.data));
  const about = [panel.description, ...warnings].filter((text) => text !== "");
  const { x, y, w, h } = panel.place;
  const style = { "--column": x + 1, "--width": w, "--row": y - firstRow + 1, "--height": h };
  return (
    <section class={`panel ${panel.type}`} style={style} ref={element} aria-label={panel.title} data-panel={panel.id}>
      <header>
        <h3>{panel.title}</h3>
        {about.length > 0 && (
          <button type="button" class={warnings.length > 0 ? "about warned" : "about"} data-tools aria-expanded={isExplained} aria-label={warnings.length > 0 ? texts.warned : texts.about} title={warnings.length > 0 ? texts.warned : texts.about} onClick={() => explain(!isExplained)}>
            {warnings.length > 0 ? "!" : "?"}
          </button>
        )}
        {isChart(panel) && (
          <button type="button" class="about" data-tools aria-pressed={isTable} aria-label={texts.asTable} title={texts.asTable} onClick={() => showTable(!isTable)}>
            ▤
          </button>
        )}
        {panel.targets.length > 0 && <Actions title={panel.title} links={props.links} element={() => element.current} content={content} />}
      </header>
      <div class="body" ref={body}>
        <Body {...props} isTable={isTable} isVisible={isVisible} width={size?.width} onLoad={load} />
        {isExplained && (
          <div class="description">
            {about.map((text) => (
              <p>{text}</p>
            ))}
          </div>
        )}
      </div>
    </section>
  );
};
