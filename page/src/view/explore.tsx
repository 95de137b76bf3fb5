/** Explore: a query that the user writes, as a graph or a table. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { now } from "../io/api.ts";
import { useQueries } from "../io/preferences.ts";
import { explored } from "../model/explore.ts";
import { exploreLink } from "../model/grafana.ts";
import { type Interval, interval as intervalOf, type Range } from "../model/time.ts";
import type { Link } from "./actions.tsx";
import { useSurroundings } from "./context.ts";
import { Panel } from "./panel.tsx";
import { QueryBox } from "./querybox.tsx";

interface Props {
  query: string;
  isTable: boolean;
  range: Range;
  tick: number;
  onRun: (query: string) => void;
  onTable: (isTable: boolean) => void;
  onZoom: (interval: Interval) => void;
}

export const Explore = ({ query, isTable, range, tick, onRun, onTable, onZoom }: Props) => {
  const { texts, grafana } = useSurroundings();
  const [text, setText] = useState(query);
  const [queries, remember, forget] = useQueries();
  const [runs, again] = useState(0);
  const box = useRef<HTMLTextAreaElement>(null);
  // The query of the address, also after going back.
  useEffect(() => setText(query), [query]);
  const interval = useMemo(() => intervalOf(range, now()) ?? { from: now() - 3600, to: now() }, [tick, runs, range.from, range.to]);
  const panel = useMemo(() => explored(query, texts.result, isTable), [query, isTable, texts]);
  const run = (text: string) => {
    const wanted = text.trim();
    setText(wanted);
    remember(wanted);
    if (wanted === query) again((runs) => runs + 1);
    else onRun(wanted);
  };
  const point = (at: number) => {
    // The error is in the query of the address, which may have been edited since.
    setText(query);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(at, at + 1);
    });
  };
  const links: Link[] = grafana === undefined ? [] : [{ text: texts.openInGrafana, href: exploreLink(grafana, [query], range), isOutside: true }];
  const choice = (table: boolean, label: string) => (
    <button type="button" aria-pressed={isTable === table} onClick={() => onTable(table)}>
      {label}
    </button>
  );
  return (
    <section class="explore" aria-label={texts.explore}>
      <h1 class="unseen">{texts.explore}</h1>
      <div class="card">
        <form
          class="query"
          onSubmit={(event) => {
            event.preventDefault();
            run(text);
          }}
        >
          <QueryBox text={text} onText={setText} onRun={() => run(text)} interval={interval} box={box} />
          <button type="submit">{texts.run}</button>
        </form>
        <p class="quiet" id="query-help">
          {texts.queryHelp}
        </p>
        {queries.length > 0 && (
          <details class="recent">
            <summary>{texts.recent(queries.length)}</summary>
            <ul>
              {queries.map((one) => (
                <li key={one}>
                  <button type="button" onClick={() => run(one)} title={one}>
                    <code>{one}</code>
                  </button>
                </li>
              ))}
            </ul>
            <button type="button" onClick={forget}>
              {texts.forget}
            </button>
          </details>
        )}
      </div>
      {query !== "" && (
        <>
          <div class="choice" role="group" aria-label={texts.result}>
            {choice(false, texts.graph)}
            {choice(true, texts.table)}
          </div>
          <Panel key={String(isTable)} panel={panel} firstRow={0} interval={interval} insertions={{}} awaited={[]} marks={[]} onZoom={onZoom} links={links} onPoint={point} />
        </>
      )}
    </section>
  );
};
