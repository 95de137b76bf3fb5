/** The state of the backend without names, as `/status` answers it to those without credentials. */

import type { Alert, Alerts, AlertState } from "./alerts.ts";
import { type Readiness, readinessOf } from "./checks.ts";
import { object, objects, text } from "./json.ts";
import { overall, type Overall } from "./status.ts";

/** The most severe state of all alerts. */
type Worst = "none" | "unknown" | "firing" | "critical";

const WORST: readonly Worst[] = ["none", "unknown", "firing", "critical"];

export interface Outline {
  /** The checks are named by their numbers, from 1. */
  readiness: Readiness;
  worst: Worst;
}

/** `undefined` if it is something else. */
export const outlineOf = (json: unknown): Outline | undefined => {
  const { status, checks, alerts } = object(json);
  const numbered = Object.fromEntries(objects(checks).map((check, at) => [String(at + 1), check]));
  const readiness = readinessOf({ status, checks: numbered });
  const worst = WORST.find((one) => one === text(alerts));
  return readiness === undefined || worst === undefined ? undefined : { readiness, worst };
};

/** An alert of which only the state is known. */
const unnamed = (state: AlertState, severity: string): Alert => ({
  name: "",
  state,
  severity,
  identity: "",
  allLabels: {},
  labels: {},
  summary: "",
  description: "",
  runbook: undefined,
  since: 0,
  value: undefined,
  threshold: undefined,
  query: "",
});

const alertsOf = (worst: Worst): Alerts => {
  const alerts = worst === "none" ? [] : [worst === "unknown" ? unnamed("unknown", "") : unnamed("firing", worst === "critical" ? "critical" : "")];
  return { alerts, rules: 0, failed: [] };
};

/** By the same rules as with names. No times are known. */
export const outlined = ({ readiness, worst }: Outline): Overall => ({
  ...overall({ readiness, alerts: alertsOf(worst), lostSince: undefined, lastFired: undefined, isRefused: false }),
  since: undefined,
});
