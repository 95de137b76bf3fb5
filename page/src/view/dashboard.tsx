/** A dashboard: its variables, and its rows of panels. */

import { useMemo, useState } from "preact/hooks";

import { now } from "../io/api.ts";
import { type Choice, choicesOf, dashboard, insertionsOf, marksOf } from "../io/dashboards.ts";
import { useLoaded } from "../io/hooks.ts";
import type { Dashboard as Model, Panel as PanelModel, Scope, Section } from "../model/dashboard.ts";
import { panelLink } from "../model/grafana.ts";
import { chosenFilters, chosenOf } from "../model/filters.ts";
import { expanded, scoped } from "../model/repeat.ts";
import { type Interval, interval as intervalOf, type Range } from "../model/time.ts";
import { ALL, inTitle, type Insertion, type Selection } from "../model/variables.ts";
import { exploreLinks, type Link } from "./actions.tsx";
import { useSurroundings } from "./context.ts";
import { Failure } from "./failure.tsx";
import { FilterBar } from "./filters.tsx";
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
  return (
    <>
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
    </>
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

/** The dashboard with its copies of rows and panels, and the values of variables in titles and texts. */
const laidOut = ({ sections }: Model, insertions: Readonly<Record<string, Insertion>>, chosen: Selection, all: string) => {
  const { sections: copies, left } = expanded(sections, insertions);
  const named = (text: string, scope: Scope) => inTitle(text, { ...chosen, ...single(scope) }, all);
  const panelOf = (panel: PanelModel): PanelModel => ({
    ...panel,
    title: named(panel.title, panel.scope),
    options: panel.type === "text" && typeof panel.options.content === "string" ? { ...panel.options, content: named(panel.options.content, panel.scope) } : panel.options,
  });
  return { left, sections: copies.map((section) => ({ ...section, title: named(section.title, section.scope), panels: section.panels.map(panelOf) })) };
};

const single = (scope: Scope): Selection => Object.fromEntries(Object.entries(scope).map(([name, value]) => [name, [value]]));

export const Dashboard = ({ name, range, selection, tick, isLost, onZoom, onSelect }: Props) => {
  const { texts, language, grafana } = useSurroundings();
  const { value: model, error } = useLoaded((signal) => dashboard(name, language, signal), JSON.stringify([name, language]), [isLost]);
  const chosenRange = range ?? model?.time ?? { from: "now-3h", to: "now" };
  // It moves with the ticks only.
  const interval = useMemo(() => intervalOf(chosenRange, now()) ?? { from: now() - 10_800, to: now() }, [tick, chosenRange.from, chosenRange.to]);
  const key = JSON.stringify([name, language, selection]);
  const made = useLoaded(model === undefined ? undefined : (signal) => choicesOf(model.variables, selection, interval, signal), key, [model, isLost]);
  const insertions = useMemo(() => insertionsOf(made.value ?? NONE), [made.value]);
  const chosen: Selection = useMemo(() => Object.fromEntries((made.value ?? NONE).map(({ variable, chosen }) => [variable.name, chosen])), [made.value]);
  const ofFilters = model?.filters;
  const writtenFilters = ofFilters === undefined ? undefined : selection[ofFilters.name];
  const filters = useMemo(() => chosenFilters(ofFilters, writtenFilters), [ofFilters, JSON.stringify(writtenFilters)]);
  const shown = useMemo(() => {
    if (model === undefined) return undefined;
    // Before the values are known there are no copies.
    return made.value === undefined ? { sections: model.sections, left: [] } : laidOut(model, insertions, chosen, texts.all);
  }, [model, made.value, insertions, chosen, texts]);
  const marks = useLoaded(
    model === undefined || made.value === undefined ? undefined : (signal) => marksOf(model, interval, insertions, filters, signal),
    key,
    [made.value, tick, chosenRange.from, chosenRange.to],
  );
  if (error !== undefined) return <Failure title={texts.cannotLoad} error={error} />;
  if (model === undefined || shown === undefined) return <div class="notice quiet">{texts.loading}…</div>;
  const linksOf = (panel: PanelModel): Link[] => {
    const explore = exploreLinks(panel, chosenRange, scoped(insertions, panel.scope), filters, texts);
    if (grafana === undefined || model.uid === undefined) return explore;
    return [...explore, { text: texts.openInGrafana, href: panelLink(grafana, model.uid, panel.id, chosenRange, { ...chosen, ...selectedFilters, ...single(panel.scope) }), isOutside: true }];
  };
  const selectedFilters: Selection = ofFilters === undefined ? {} : { [ofFilters.name]: chosenOf(ofFilters, filters) };
  const awaited = made.value === undefined ? model.variables.map((variable) => variable.name) : [];
  return (
    <div class="dashboard">
      {model.unsupported.length > 0 && (
        <p class="quiet">
          {texts.unsupported}: {model.unsupported.join(", ")}
        </p>
      )}
      {made.error !== undefined && !isLost && <p class="bad">{made.error.message}</p>}
      <div class="variables">
        <Choices made={made.value ?? NONE} selection={selection} onSelect={onSelect} />
        {ofFilters !== undefined && !ofFilters.isHidden && (
          <FilterBar label={ofFilters.label} filters={filters} interval={interval} onChange={(filters) => onSelect({ ...selection, [ofFilters.name]: chosenOf(ofFilters, filters) })} />
        )}
      </div>
      {shown.left.map(({ variable, count }) => (
        <p class="quiet">{texts.notRepeated(variable, count)}</p>
      ))}
      {shown.sections.map((section) => (
        <Row section={section} key={JSON.stringify([name, section.title, section.scope, section.panels[0]?.id])}>
          {section.panels.map((panel) => (
            <Panel
              key={JSON.stringify([panel.id, panel.scope])}
              panel={panel}
              firstRow={Math.min(...section.panels.map(({ place }) => place.y))}
              interval={interval}
              insertions={scoped(insertions, panel.scope)}
              filters={filters}
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
