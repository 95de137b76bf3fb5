/** The status of the backend: the word with its reasons, the alerts and the checks. */

import { now } from "../io/api.ts";
import type { Status as Known } from "../io/status.ts";
import type { Alert } from "../model/alerts.ts";
import { clock, elapsed } from "../model/clock.ts";
import type { Notified } from "../model/notified.ts";
import type { Overall, Reason } from "../model/status.ts";
import { format } from "../model/units.ts";
import { EXPLORE, hashOf, viewOf } from "../model/view.ts";
import type { Texts } from "../text/en.ts";
import { Checks } from "./checks.tsx";
import { useSurroundings } from "./context.ts";
import { Mute } from "./mute.tsx";

export const reasonText = (reason: Reason, texts: Texts): string => {
  switch (reason.kind) {
    case "lost":
      return texts.lost;
    case "refused":
      return texts.signedOut;
    case "draining":
      return texts.draining;
    case "starting":
      return texts.starting;
    case "check":
      return reason.check.status === "failed" ? texts.checkFails(reason.check.name) : texts.checkPending(reason.check.name);
    default:
      if (reason.alert.name === "") return reason.alert.state === "unknown" ? texts.someUnknown : texts.someFires;
      return reason.alert.state === "unknown" ? texts.alertUnknown(reason.alert.name) : texts.alertFires(reason.alert.name);
  }
};

const detail = (reason: Reason, texts: Texts): string =>
  reason.kind === "check" ? reason.check.error : reason.kind === "alert" ? texts.summary(reason.alert.summary) : "";

/** The reasons that are named; the others are counted. */
const NAMED = 3;

export const Banner = ({ overall }: { overall: Overall }) => {
  const { texts, language } = useSurroundings();
  const { level, reasons, since } = overall;
  return (
    <section class={`banner ${level}`} aria-live="polite">
      <h1>{texts[level]}</h1>
      <div class="reasons">
        {reasons.length === 0 && <p>{texts.allWell}</p>}
        {reasons.slice(0, NAMED).map((reason) => (
          <p>
            {reasonText(reason, texts)}
            {detail(reason, texts) !== "" && <span class="quiet"> {detail(reason, texts)}</span>}
          </p>
        ))}
        {reasons.length > NAMED && <p class="quiet">{texts.more(reasons.length - NAMED)}</p>}
      </div>
      {since !== undefined && (
        <p class="since" title={clock(since, now(), language)}>
          {texts.since(clock(since, now(), language))}
          <b>{elapsed(now() - since, texts.spans)}</b>
        </p>
      )}
    </section>
  );
};

interface Entry {
  alert: Alert;
  notified: Notified | undefined;
  isWritable: boolean;
  /** It was acknowledged or silenced, or that was ended. */
  onChange: () => void;
}

const AlertEntry = ({ alert, notified, isWritable, onChange }: Entry) => {
  const { texts, language } = useSurroundings();
  const state = { firing: texts.firing, pending: texts.pending, unknown: texts.unknownState }[alert.state];
  const { value, threshold } = alert;
  const isCritical = alert.state === "firing" && alert.severity === "critical";
  return (
    <li class={`alert ${alert.state} ${isCritical ? "critical" : ""}`}>
      <details>
        <summary>
          <span class="state">{state}</span>
          <span class="alert-name">
            <b>{alert.name}</b>
            {alert.severity !== "" && <span class="severity">{alert.severity}</span>}
            {notified?.acknowledged !== undefined && (
              <span class="muted" title={notified.acknowledged.comment}>
                {texts.acknowledgedBy(notified.acknowledged.by)}
              </span>
            )}
            {notified !== undefined && notified.silencedBy.length > 0 && <span class="muted">{texts.silenced}</span>}
            <span class="quiet summary">{texts.summary(alert.summary)}</span>
          </span>
          <span class="against">
            {value !== undefined && <b title={texts.value}>{format(value, "short")}</b>}
            {threshold !== undefined && (
              <span class="quiet" title={texts.threshold}>
                {threshold.operator} {format(threshold.value, "short")}
              </span>
            )}
          </span>
          <span class="when quiet" title={texts.since(clock(alert.since, now(), language))}>
            {elapsed(now() - alert.since, texts.spans)}
          </span>
        </summary>
        <p>{texts.description(alert.description)}</p>
        <p class="labels">
          {Object.entries(alert.labels).map(([name, value]) => (
            <code>
              {name}={value}
            </code>
          ))}
          {alert.runbook !== undefined && (
            <a href={alert.runbook} rel="noreferrer">
              {texts.runbook}
            </a>
          )}
          {alert.query !== "" && (
            <a href={hashOf({ ...viewOf(""), page: EXPLORE, query: alert.query })}>{texts.openInExplore}</a>
          )}
        </p>
        {isWritable && notified !== undefined && <Mute alert={alert} notified={notified} onChange={onChange} />}
      </details>
    </li>
  );
};

/** The most alerts that are listed. */
const LISTED = 100;

export const Alerts = ({ known, onChange }: { known: Known; onChange: () => void }) => {
  const { texts } = useSurroundings();
  const { alerts = [], rules = 0, failed = [] } = known.alerts ?? {};
  return (
    <section class="card alerts" aria-label={texts.alerts}>
      <h2>
        {texts.alerts}
        {alerts.length > 0 && <span class="count">{alerts.length}</span>}
      </h2>
      {alerts.length === 0 && <p class="quiet">{known.alerts === undefined ? `${texts.loading}…` : texts.noAlerts(rules)}</p>}
      <ul>
        {alerts.slice(0, LISTED).map((alert) => (
          <AlertEntry
            key={alert.identity}
            alert={alert}
            notified={known.notification?.alerts.get(alert.identity)}
            isWritable={known.notification?.isWritable === true}
            onChange={onChange}
          />
        ))}
      </ul>
      {alerts.length > LISTED && <p class="quiet">{texts.more(alerts.length - LISTED)}</p>}
      {failed.map(({ name, error }) => (
        <p class="bad">
          {texts.ruleFails(name)}: {error}
        </p>
      ))}
    </section>
  );
};

interface Props {
  known: Known;
  overall: Overall;
  tick: number;
  /** An alert was acknowledged or silenced, or that was ended. */
  onChange: () => void;
}

export const Status = ({ known, overall, tick, onChange }: Props) => (
  <div class="status">
    <Banner overall={overall} />
    <div class="columns">
      <Alerts known={known} onChange={onChange} />
      <Checks known={known} tick={tick} />
    </div>
  </div>
);
