/** Alerts: those of the rules, as `/api/v1/rules` reports them, and others that are passed to receivers. */

import { object, objects, text } from "./json.ts";
import type { Labels } from "./frame.ts";
import { runbookLink } from "./links.ts";

export type AlertState = "firing" | "unknown" | "pending";

/** A comparison with a number at the end of an expression. */
export interface Threshold {
  operator: string;
  value: number;
}

export interface Alert {
  name: string;
  state: AlertState;
  severity: string;
  /** Distinguishes it from all other alerts. */
  identity: string;
  allLabels: Labels;
  /** The labels besides the name and the severity. */
  labels: Labels;
  summary: string;
  description: string;
  runbook: string | undefined;
  /** In seconds since the epoch. */
  since: number;
  value: number | undefined;
  threshold: Threshold | undefined;
  /** The expression of its rule. */
  query: string;
}

export interface FailedRule {
  name: string;
  error: string;
}

export interface Alerts {
  /** The most urgent first. */
  alerts: Alert[];
  rules: number;
  failed: FailedRule[];
}

/** The text without what is inside of parentheses, braces, brackets and strings. */
const outside = (expression: string): string => {
  let depth = 0;
  let quote = "";
  let kept = "";
  for (let at = 0; at < expression.length; at++) {
    const char = expression[at] ?? "";
    if (quote !== "") {
      if (char === "\\" && quote !== "`") at++;
      else if (char === quote) quote = "";
    } else if ("\"'`".includes(char)) quote = char;
    else if ("({[".includes(char)) depth++;
    else if (")}]".includes(char)) depth--;
    else if (depth === 0) kept += char;
  }
  return kept;
};

/** The threshold, if the expression is one comparison with a number. */
export const thresholdOf = (expression: string): Threshold | undefined => {
  const flat = outside(expression.replace(/#.*$/gm, ""));
  if (/\b(and|or|unless)\b/i.test(flat)) return undefined;
  const parts = /^[^<>=!]*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i.exec(flat);
  return parts === null ? undefined : { operator: parts[1] ?? "", value: Number(parts[2]) };
};

const seconds = (time: unknown): number => {
  const parsed = Date.parse(text(time) ?? "");
  return Number.isNaN(parsed) ? 0 : parsed / 1000;
};

/** A text that is the same for the same labels. An empty value is the same as none. */
export const identityOf = (labels: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([, value]) => value !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const STATES: AlertState[] = ["firing", "unknown", "pending"];
const SEVERITIES = ["critical", "error", "warning", "info"];
const rank = (order: readonly string[], value: string) => (order.includes(value) ? order.indexOf(value) : order.length);

/** An alert, from the fields that it has in every answer. `since` is text. */
export const alertOf = (alert: Readonly<Record<string, unknown>>, state: AlertState, since: unknown): Alert => {
  const allLabels = object(alert.labels) as Record<string, string>;
  const { alertname = "", severity = "", ...labels } = allLabels;
  const { summary, description, runbook_url } = object(alert.annotations);
  const value = Number(alert.value);
  return {
    name: alertname,
    state,
    severity,
    identity: identityOf(allLabels),
    allLabels,
    labels,
    summary: text(summary) ?? "",
    description: text(description) ?? "",
    runbook: runbookLink(text(runbook_url)),
    since: seconds(since),
    value: alert.value === undefined || alert.value === null || Number.isNaN(value) ? undefined : value,
    threshold: undefined,
    query: "",
  };
};

const sorted = (alerts: readonly Alert[]): Alert[] =>
  alerts.toSorted(
    (a, b) =>
      rank(STATES, a.state) - rank(STATES, b.state) || rank(SEVERITIES, a.severity) - rank(SEVERITIES, b.severity) || a.since - b.since || a.name.localeCompare(b.name),
  );

/** The `data` of `/api/v1/rules`. */
export const alertsOf = (data: unknown): Alerts => {
  const rules = objects(object(data).groups).flatMap((group) => objects(group.rules)).filter((rule) => rule.type === "alerting");
  const alerts = rules.flatMap((rule) =>
    objects(rule.alerts).map((alert): Alert => {
      const state = alert.unknownSince !== undefined ? "unknown" : alert.state === "firing" ? "firing" : "pending";
      const shown = alertOf(alert, state, alert.unknownSince ?? alert.activeAt);
      return { ...shown, name: shown.name || (text(rule.name) ?? ""), threshold: thresholdOf(text(rule.query) ?? ""), query: text(rule.query) ?? "" };
    }),
  );
  const failed = rules.filter((rule) => rule.health === "err").map((rule) => ({ name: text(rule.name) ?? "", error: text(rule.lastError) ?? "" }));
  return { alerts: sorted(alerts), rules: rules.length, failed };
};

/** The alerts of the rules, and those of others that no rule has: posted ones, and those of receivers that fail. */
export const withOthers = (known: Alerts, others: readonly Alert[]): Alerts => {
  const identities = new Set(known.alerts.map(({ identity }) => identity));
  return { ...known, alerts: sorted([...known.alerts, ...others.filter(({ identity }) => !identities.has(identity))]) };
};
