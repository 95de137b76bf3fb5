/** A dashboard: its variables, and its rows of panels. */

import { useMemo, useState } from "preact/hooks";

import { now } from "../io/api.ts";
import { type Choice, choicesOf, dashboard, insertionsOf, marksOf } from "../io/dashboards.ts";
import { useLoaded } from "../io/hooks.ts";
import type { Panel as PanelModel, Section } from "../model/dashboard.ts";
import { panelLink } from "../model/grafana.ts";
import { type Interval, interval as intervalOf, type Range } from "../model/time.ts";
import { ALL, type Selection } from "../model/variables.ts";
import { exploreLinks, type Link } from "./actions.tsx";
import { useSurroundings } from "./context.ts";
import { Failure } from "./failure.tsx";
import { Panel } from "./panel.tsx";

interface Props {
  name: string;
  range: Range | undefined;
  selection: Selection;
  tick: number;
  /** The server does not answer; what could not be loaded is loaded when it returns. */
  isLost: boolean;
  onZoom: (interval: Interval) => void;
  onSelect: (selection: Selection) => void;
}

const Choices = ({ made, onSelect, selection }: { made: Choice[]; selection: Selection; onSelect: (selection: Selection) => void }) => {
  const { texts } = useSurroundings();
  // With one value there is nothing to choose.
  const shown = made.filter(({ variable, among }) => !variable.isHidden && among.length > 1);
  if (shown.length === 0) return null;
  return (
    <div class="variables">
      {shown.map(({ variable, among, chosen }) => (
        <label>
          <span>{variable.label}</span>
          <select value={chosen[0]} onChange={(event) => onSelect({ ...selection, [variable.name]: [event.currentTarget.value] })}>
            {variable.includesAll && <option value={ALL}>{texts.all}</option>}
            {among.map((value) => (
              <option value={value}>{value}</option>
            ))}
          </select>
        </label>
      ))}
    </div>
  );
};

const Row = ({ section, children }: { section: Section; children: preact.ComponentChildren }) => {
  const [isOpen, open] = useState(!section.isCollapsed);
  return (
    <div class="row">
      {section.title !== "" && (
        <h2>
          <button type="button" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
            {section.title}
          </button>
        </h2>
      )}
      {isOpen && <div class="grid">{children}</div>}
    </div>
  );
};

const NONE: Choice[] = [];

export const Dashboard = ({ name, range, selection, tick, isLost, onZoom, onSelect }: Props) => {
  const { texts, language, grafana } = useSurroundings();
  const { value: model, error } = useLoaded((signal) => dashboard(name, language, signal), JSON.stringify([name, language]), [isLost]);
  const chosenRange = range ?? model?.time ?? { from: "now-3h", to: "now" };
  // It moves with the ticks only.
  const interval = useMemo(() => intervalOf(chosenRange, now()) ?? { from: now() - 10_800, to: now() }, [tick, chosenRange.from, chosenRange.to]);
  const key = JSON.stringify([name, language, selection]);
  const made = useLoaded(model === undefined ? undefined : (signal) => choicesOf(model.variables, selection, interval, signal), key, [model, isLost]);
  const insertions = insertionsOf(made.value ?? NONE);
  const marks = useLoaded(
    model === undefined || made.value === undefined ? undefined : (signal) => marksOf(model, interval, insertions, signal),
    key,
    [made.value, tick, chosenRange.from, chosenRange.to],
  );
  if (error !== undefined) return <Failure title={texts.cannotLoad} error={error} />;
  if (model === undefined) return <div class="notice quiet">{texts.loading}…</div>;
  const chosen = Object.fromEntries((made.value ?? NONE).map(({ variable, chosen }) => [variable.name, chosen]));
  const linksOf = (panel: PanelModel): Link[] => {
    const explore = exploreLinks(panel, chosenRange, insertions, texts);
    if (grafana === undefined || model.uid === undefined) return explore;
    return [...explore, { text: texts.openInGrafana, href: panelLink(grafana, model.uid, panel.id, chosenRange, chosen), isOutside: true }];
  };
  const awaited = made.value === undefined ? model.variables.map((variable) => variable.name) : [];
  return (
    <div class="dashboard">
      {model.unsupported.length > 0 && (
        <p class="quiet">
          {texts.unsupported}: {model.unsupported.join(", ")}
        </p>
      )}
      {made.error !== undefined && !isLost && <p class="bad">{made.error.message}</p>}
      <Choices made={made.value ?? NONE} selection={selection} onSelect={onSelect} />
      {model.sections.map((section) => (
        <Row section={section} key={`${name} ${section.title} ${section.panels[0]?.id}`}>
          {section.panels.map((panel) => (
            <Panel
              key={panel.id}
              panel={panel}
              firstRow={Math.min(...section.panels.map(({ place }) => place.y))}
              interval={interval}
              insertions={insertions}
              awaited={awaited}
              marks={marks.value ?? []}
              onZoom={onZoom}
              links={linksOf(panel)}
            />
          ))}
        </Row>
      ))}
    </div>
  );
};
