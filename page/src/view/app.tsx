/** The page. */

import { useEffect, useMemo, useRef } from "preact/hooks";

import { useView } from "../io/address.ts";
import { available, type Listed } from "../io/dashboards.ts";
import { useLoaded, useTick } from "../io/hooks.ts";
import { useLanguage, useTheme } from "../io/preferences.ts";
import { session, signOut } from "../io/session.ts";
import { useStatus } from "../io/status.ts";
import { runbookOf } from "../model/links.ts";
import { outlined } from "../model/outline.ts";
import { queueIn, queuePage } from "../model/queue.ts";
import { overall as overallOf } from "../model/status.ts";
import { duration, type Interval, type Range } from "../model/time.ts";
import { EXPLORE, hashOf, pageOf } from "../model/view.ts";
import { en } from "../text/en.ts";
import { fr } from "../text/fr.ts";
import { Surroundings } from "./context.ts";
import { Controls } from "./controls.tsx";
import { Dashboard } from "./dashboard.tsx";
import { Explore } from "./explore.tsx";
import { Outside } from "./outside.tsx";
import { Queue } from "./queue.tsx";
import { Queues } from "./queues.tsx";
import { Runbook } from "./runbook.tsx";
import { Status } from "./status.tsx";
import { useTab } from "./tab.ts";

const TEXTS = { en, fr };
const RANGE: Range = { from: "now-3h", to: "now" };
const REFRESH = "30s";
const NONE: Listed[] = [];
/** The page of the queues, beside the dashboards. */
const QUEUES = "queues";

export const App = () => {
  const [language, toggleLanguage] = useLanguage();
  const other = language === "en" ? "fr" : "en";
  const [theme, toggleTheme] = useTheme();
  const [view, go] = useView();
  const [known, ask] = useStatus();
  const isLost = known.lostSince !== undefined;
  const refresh = view.refresh ?? REFRESH;
  const [tick, next] = useTick(duration(refresh) ?? 0);
  const wasLost = useRef(false);
  useEffect(() => {
    // Requests that failed in the meantime are sent again at once.
    if (wasLost.current && !isLost) next();
    wasLost.current = isLost;
  }, [isLost]);
  /** The ranges before each zoom. */
  const before = useRef<(Range | undefined)[]>([]);
  const dashboards = useLoaded((signal) => available(language, signal), language, [isLost, known.isRefused]);
  const door = useLoaded(session, "session", [isLost, known.isRefused]);
  const texts = TEXTS[language];
  const { outline } = known;
  const overall = isLost || outline == null ? overallOf(known) : outlined(outline);
  useTab(overall.level, texts[overall.level], overall.reasons.length);
  const { grafana, problems = [] } = dashboards.value ?? {};
  const surroundings = useMemo(() => ({ texts, language, theme, grafana }), [texts, language, theme, grafana]);

  const zoom = ({ from, to }: Interval) => {
    before.current.push(view.range);
    go({ range: { from: String(Math.round(from * 1000)), to: String(Math.round(to * 1000)) } });
  };
  const undo = () => go({ range: before.current.pop() });
  const leave = () => void signOut().then(ask, ask);
  const all: Listed[] = known.isRefused ? NONE : (dashboards.value?.dashboards ?? NONE);
  const shown = view.page === "" ? all[0] : all.find(({ name }) => name === view.page);
  const isQueues = view.page === QUEUES;
  const isExplore = view.page === EXPLORE;
  const range = view.range ?? RANGE;
  const queue = queueIn(view.page);
  const runbook = runbookOf(view.page);
  const link = ({ name }: Listed, at: number) => hashOf(pageOf(view, at === 0 ? "" : name));
  // The charts do not depend on the status, which changes more often.
  const charts = useMemo(
    () =>
      shown === undefined ? undefined : (
        <Dashboard
          key={shown.name}
          name={shown.name}
          range={view.range}
          selection={view.selection}
          tick={tick}
          isLost={isLost}
          onZoom={zoom}
          onSelect={(selection) => go({ selection })}
        />
      ),
    [shown?.name, view, tick, isLost, surroundings],
  );
  const isElsewhere = isQueues || queue !== undefined || isExplore || runbook !== undefined;
  const content = (
    <>
      {view.page === "" && <Status known={known} overall={overall} tick={tick} onChange={ask} />}
      {view.page === "" && problems.length > 0 && (
        <details class="card problems">
          <summary>{texts.problems(problems.length)}</summary>
          <ul>
            {problems.map((problem) => (
              <li>{problem}</li>
            ))}
          </ul>
        </details>
      )}
      {isQueues && <Queues tick={tick} isLost={isLost} linkOf={(queue) => hashOf(pageOf(view, queuePage(queue)))} />}
      {queue !== undefined && <Queue key={queue} name={queue} range={range} tick={tick} isLost={isLost} onZoom={zoom} />}
      {isExplore && (
        <Explore
          query={view.query}
          isTable={view.isTable}
          range={range}
          tick={tick}
          onRun={(query) => go({ query })}
          onTable={(isTable) => go({ isTable })}
          onZoom={zoom}
        />
      )}
      {charts ?? (isElsewhere || dashboards.value === undefined ? null : <p class="notice">{texts.noDashboard(view.page)}</p>)}
    </>
  );
  const outside = door.value !== undefined && outline !== undefined && (
    <Outside outline={outline ?? undefined} overall={overall} by={door.value.by} onSignIn={ask} />
  );
  return (
    <Surroundings.Provider value={surroundings}>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), document.getElementById("content")?.focus())}>
        {texts.skip}
      </a>
      <header class={`bar ${overall.level}`}>
        <a class="brand" href={hashOf(pageOf(view, ""))} title={texts[overall.level]}>
          <span class="dot" />
          Vigie
          <span class="word">{texts[overall.level]}</span>
        </a>
        <nav>
          {all.map((one, at) => (
            <a href={link(one, at)} aria-current={one === shown ? "page" : undefined} title={one.title}>
              {at === 0 ? texts.overview : one.name === "details" ? texts.details : one.title}
            </a>
          ))}
          {!known.isRefused && (
            <>
              <a href={hashOf(pageOf(view, QUEUES))} aria-current={isQueues ? "page" : queue !== undefined ? "true" : undefined}>
                {texts.queues}
              </a>
              <a href={hashOf(pageOf(view, EXPLORE))} aria-current={isExplore ? "page" : undefined}>
                {texts.explore}
              </a>
            </>
          )}
        </nav>
        {!known.isRefused && (
          <Controls
            range={range}
            refresh={refresh}
            canUndo={before.current.length > 0 && view.range !== undefined}
            onRange={(range) => go({ range })}
            onUndo={undo}
            onRefresh={(refresh) => go({ refresh })}
            onNow={next}
          />
        )}
        <div class="preferences">
          <button type="button" onClick={toggleLanguage} lang={other} aria-label={`${other.toUpperCase()} ${texts.language}`} title={texts.language}>
            {other.toUpperCase()}
          </button>
          <button type="button" class="icon" onClick={toggleTheme} aria-label={texts.theme} title={texts.theme}>
            ◐
          </button>
          {door.value?.isOpen === true && !known.isRefused && (
            <button type="button" onClick={leave}>
              {texts.signOut}
            </button>
          )}
        </div>
      </header>
      <main id="content" tabIndex={-1} class={isLost ? "stale" : ""}>
        {(view.page !== "" || known.isRefused) && isLost && <p class="lost">{texts.lost}</p>}
        {known.isRefused ? outside : content}
        {runbook !== undefined && <Runbook name={runbook} isLost={isLost} />}
      </main>
    </Surroundings.Provider>
  );
};
