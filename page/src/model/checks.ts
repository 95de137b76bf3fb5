/** The checks, as `/readyz` reports them. */

import { isObject, number, object, text } from "./json.ts";

export type CheckStatus = "ok" | "failed" | "pending";

export interface Check {
  name: string;
  status: CheckStatus;
  isRequired: boolean;
  /** In seconds since the epoch; absent without credentials. */
  since: number | undefined;
  /** In seconds. */
  duration: number | undefined;
  lastSuccess: number | undefined;
  error: string;
  /** The number of parts, such as queues; and those that fail. */
  parts: { count: number; failing: { name: string; error: string }[] } | undefined;
}

export interface Readiness {
  status: "ok" | "degraded" | "pending" | "failed" | "draining";
  checks: Check[];
  /** Sections that are not configured. */
  unwatched: string[];
}

const seconds = (value: unknown): number | undefined => {
  const time = Date.parse(text(value) ?? "");
  return Number.isNaN(time) ? undefined : time / 1000;
};

const checkOf = (name: string, json: unknown): Check => {
  const check = object(json);
  const status = text(check.status);
  const count = number(check.count);
  const duration = number(check.duration_ms);
  const failing = Object.entries(object(check.not_ok)).map(([name, part]) => ({ name, error: text(object(part).error) ?? text(object(part).status) ?? "" }));
  return {
    name,
    status: status === "ok" || status === "failed" ? status : "pending",
    isRequired: check.required !== false,
    since: seconds(check.since),
    duration: duration === undefined ? undefined : duration / 1000,
    lastSuccess: seconds(check.last_success),
    error: text(check.error) ?? "",
    parts: count === undefined ? undefined : { count, failing },
  };
};

const STATUSES = ["ok", "degraded", "pending", "failed", "draining"] as const;

/** The JSON of `/readyz`; `undefined` if it is something else, such as the answer of a proxy. */
export const readinessOf = (json: unknown): Readiness | undefined => {
  if (!isObject(json)) return undefined;
  const status = STATUSES.find((one) => one === json.status);
  if (status === undefined) return undefined;
  const unwatched = Array.isArray(json.unwatched) ? json.unwatched.map(String) : [];
  return { status, checks: Object.entries(object(json.checks)).map(([name, one]) => checkOf(name, one)), unwatched };
};
