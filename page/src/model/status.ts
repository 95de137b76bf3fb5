/** The state of the backend in one word, with its reasons. */

import type { Alert, Alerts } from "./alerts.ts";
import type { Check, Readiness } from "./checks.ts";

export type Level = "ok" | "degraded" | "failing" | "unknown";

export type Reason =
  | { kind: "lost" }
  | { kind: "refused" }
  | { kind: "draining" }
  | { kind: "starting" }
  | { kind: "check"; check: Check }
  | { kind: "alert"; alert: Alert };

export interface Overall {
  level: Level;
  /** Those that decide the level, the oldest first. */
  reasons: Reason[];
  /** In seconds since the epoch; unknown if no part says it. */
  since: number | undefined;
}

/** The last answers of the server. */
export interface Known {
  readiness: Readiness | undefined;
  alerts: Alerts | undefined;
  /** Since when the server has not answered. */
  lostSince: number | undefined;
  /** When an alert fired last, if none does now. */
  lastFired: number | undefined;
  /** The server wants credentials. */
  isRefused: boolean;
}

const sinceOf = (reason: Reason): number | undefined =>
  reason.kind === "check" ? reason.check.since : reason.kind === "alert" ? reason.alert.since : undefined;

const judged = (level: Level, reasons: Reason[]): Overall => {
  const times = reasons.flatMap((reason) => sinceOf(reason) ?? []);
  const sorted = reasons.toSorted((a, b) => (sinceOf(a) ?? Infinity) - (sinceOf(b) ?? Infinity));
  return { level, reasons: sorted, since: times.length === 0 ? undefined : Math.min(...times) };
};

/**
 * Failing: a required check fails, or a critical alert fires. Degraded: another check fails, or another alert fires or is unknown.
 * Unknown: the server does not answer, or has not checked everything yet.
 */
export const overall = ({ readiness, alerts, lostSince, lastFired, isRefused }: Known): Overall => {
  if (lostSince !== undefined) return { level: "unknown", reasons: [{ kind: "lost" }], since: lostSince };
  if (isRefused) return { level: "unknown", reasons: [{ kind: "refused" }], since: undefined };
  if (readiness === undefined) return { level: "unknown", reasons: [{ kind: "starting" }], since: undefined };
  if (readiness.status === "draining") return { level: "unknown", reasons: [{ kind: "draining" }], since: undefined };
  const check = (check: Check): Reason => ({ kind: "check", check });
  const alert = (alert: Alert): Reason => ({ kind: "alert", alert });
  const failed = readiness.checks.filter(({ status }) => status === "failed");
  const active = (alerts?.alerts ?? []).filter(({ state }) => state !== "pending");
  const failing = [
    ...failed.filter(({ isRequired }) => isRequired).map(check),
    ...active.filter(({ state, severity }) => state === "firing" && severity === "critical").map(alert),
  ];
  if (failing.length > 0) return judged("failing", failing);
  const degraded = [...failed.map(check), ...active.map(alert)];
  if (degraded.length > 0) return judged("degraded", degraded);
  const pending = readiness.checks.filter(({ status }) => status === "pending");
  if (pending.length > 0 || alerts === undefined) return { level: "unknown", reasons: pending.length > 0 ? pending.map(check) : [{ kind: "starting" }], since: undefined };
  const changes = [...readiness.checks.flatMap(({ since }) => since ?? []), ...(lastFired === undefined ? [] : [lastFired])];
  return { level: "ok", reasons: [], since: changes.length === 0 ? undefined : Math.max(...changes) };
};
