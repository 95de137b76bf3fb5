/** The status of the server, asked for again and again. */

import { useEffect, useState } from "preact/hooks";

import { type Alerts, alertsOf, withOthers } from "../model/alerts.ts";
import { readinessOf } from "../model/checks.ts";
import { sampled } from "../model/frame.ts";
import { type Outline, outlineOf } from "../model/outline.ts";
import type { Known } from "../model/status.ts";
import { type Notification, notificationOf } from "../model/notified.ts";
import { json, Lost, now, onRefusal, probe, query, Refused } from "./api.ts";

/** Milliseconds between two questions; longer while nobody sees the page. */
const PERIOD = 5_000;
const HIDDEN = 20_000;
/** The last time at which an alert fired, within a day. */
const LAST_FIRED = 'max(max_over_time(timestamp(ALERTS{alertstate="firing"})[1d:5m]))';

export interface Status extends Known {
  /** Absent if Vigie does not notify. */
  notification: Notification | undefined;
  /** To those without credentials. `null`: the server does not tell it; `undefined`: it was not asked yet. */
  outline: Outline | null | undefined;
}

const NOTHING: Status = { readiness: undefined, alerts: undefined, lostSince: undefined, lastFired: undefined, notification: undefined, outline: undefined, isRefused: false };
/** Nothing that was shown to someone who had credentials is kept. */
const REFUSED: Status = { ...NOTHING, isRefused: true };

const notified = async (): Promise<Notification | undefined> => {
  try {
    return notificationOf(await json("vigie/v1/alerts"));
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
};

const lastFired = async (alerts: Alerts): Promise<number | undefined> => {
  if (alerts.alerts.some(({ state }) => state === "firing")) return undefined;
  return sampled(await query("query", { query: LAST_FIRED, time: String(now()) }))[0]?.samples[0]?.[1];
};

const outlined = async (): Promise<Outline | null> => {
  try {
    return outlineOf(await json("status")) ?? null;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
};

const asked = async (before: Status): Promise<Status> => {
  const answer = await probe("readyz");
  const readiness = readinessOf(answer.json);
  // A proxy answers for a server that is gone.
  if (readiness === undefined) throw new Lost("not an answer of Vigie");
  try {
    const ofRules = alertsOf(await query("rules", { type: "alert" }));
    const notification = await notified();
    const alerts = withOthers(ofRules, notification?.shown ?? []);
    return { readiness, alerts, notification, lastFired: await lastFired(alerts), lostSince: undefined, outline: undefined, isRefused: false };
  } catch (error) {
    if (error instanceof Lost) throw error;
    if (error instanceof Refused && error.status === 401) return { ...REFUSED, outline: await outlined() };
    return { ...before, readiness, lostSince: undefined };
  }
};

/** Polls while the page is open. The second value asks at once. */
export const useStatus = (): [Status, () => void] => {
  const [status, set] = useState<Status>(NOTHING);
  const [turn, again] = useState(0);
  useEffect(() => {
    let timer = 0;
    let isOver = false;
    let current = status;
    const ask = async () => {
      clearTimeout(timer);
      try {
        current = await asked(current);
      } catch {
        current = { ...current, lostSince: current.lostSince ?? now() };
      }
      if (isOver) return;
      set(current);
      clearTimeout(timer);
      timer = window.setTimeout(() => void ask(), document.hidden ? HIDDEN : PERIOD);
    };
    const wake = () => {
      if (!document.hidden) void ask();
    };
    // A query may be refused before the status is asked for again.
    const forget = onRefusal(() => {
      if (current.isRefused || isOver) return;
      current = REFUSED;
      set(current);
      void ask();
    });
    void ask();
    document.addEventListener("visibilitychange", wake);
    addEventListener("online", wake);
    addEventListener("offline", wake);
    return () => {
      isOver = true;
      clearTimeout(timer);
      forget();
      document.removeEventListener("visibilitychange", wake);
      removeEventListener("online", wake);
      removeEventListener("offline", wake);
    };
  }, [turn]);
  return [status, () => again((turn) => turn + 1)];
};
