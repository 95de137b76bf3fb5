/** The alerts that are passed to receivers, as `/vigie/v1/alerts` reports them: whether they are acknowledged or silenced. */

import { type Alert, alertOf, identityOf } from "./alerts.ts";
import { flag, isObject, object, objects, text, texts } from "./json.ts";

export interface Notified {
  fingerprint: string;
  acknowledged: { by: string; comment: string } | undefined;
  /** The identifiers of the silences. */
  silencedBy: string[];
}

export interface Notification {
  /** Whether alerts can be acknowledged and silenced. */
  isWritable: boolean;
  /** By the identity of the alert. */
  alerts: ReadonlyMap<string, Notified>;
  /** The same alerts, as they are shown. */
  shown: Alert[];
}

export const notificationOf = (json: unknown): Notification => {
  const { writable, alerts } = object(json);
  const known = objects(alerts).map((alert): [string, Notified] => {
    const { acknowledged, fingerprint, silencedBy } = alert;
    const { by, comment } = object(acknowledged);
    return [
      identityOf(object(alert.labels)),
      {
        fingerprint: text(fingerprint) ?? "",
        acknowledged: isObject(acknowledged) ? { by: text(by) ?? "", comment: text(comment) ?? "" } : undefined,
        silencedBy: texts(silencedBy),
      },
    ];
  });
  const shown = objects(alerts).map((alert) => {
    const since = text(alert.unknownSince);
    return since === undefined ? alertOf(alert, "firing", alert.startsAt) : alertOf(alert, "unknown", since);
  });
  return { isWritable: flag(writable) === true, alerts: new Map(known), shown };
};

/** A silence of exactly these labels from now on, as `/api/v2/silences` reads it. Times are in seconds. */
export const silenceOf = (labels: Readonly<Record<string, string>>, by: string, comment: string, now: number, duration: number): object => ({
  matchers: Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
  startsAt: new Date(now * 1000).toISOString(),
  endsAt: new Date((now + duration) * 1000).toISOString(),
  createdBy: by,
  comment,
});
