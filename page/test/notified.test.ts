import { expect, test } from "vitest";

import { alertsOf, identityOf, withOthers } from "../src/model/alerts.ts";
import { notificationOf, silenceOf } from "../src/model/notified.ts";

const labels = { severity: "warning", alertname: "A", queue: "mail", empty: "" };

test("an alert of a rule is found among those that are passed to receivers", () => {
  const { alerts } = alertsOf({ groups: [{ rules: [{ type: "alerting", name: "A", query: "x", alerts: [{ labels, state: "firing" }] }] }] });
  const json = {
    writable: true,
    alerts: [
      { fingerprint: "f1", labels: { queue: "mail", alertname: "A", severity: "warning" }, acknowledged: { by: "ada", comment: "on it" }, silencedBy: [] },
      { fingerprint: "f2", labels: { queue: "other", alertname: "A", severity: "warning" }, acknowledged: null, silencedBy: ["id"] },
    ],
  };
  const found = notificationOf(json);
  expect(found.isWritable).toBe(true);
  expect(found.alerts.get(alerts[0]?.identity ?? "")).toEqual({ fingerprint: "f1", acknowledged: { by: "ada", comment: "on it" }, silencedBy: [] });
  expect(found.alerts.get(identityOf({ ...labels, queue: "other" }))).toEqual({ fingerprint: "f2", acknowledged: undefined, silencedBy: ["id"] });
  expect(found.alerts.get(identityOf({ ...labels, queue: "third" }))).toBeUndefined();
});

test("alerts that no rule has are shown among those of the rules", () => {
  const rule = { type: "alerting", name: "A", query: "x > 5", alerts: [{ labels, state: "firing", activeAt: "2026-01-01T00:00:00Z", value: "7" }] };
  const known = alertsOf({ groups: [{ rules: [rule] }] });
  const { shown } = notificationOf({
    alerts: [
      { labels: { queue: "mail", alertname: "A", severity: "warning" }, startsAt: "2026-01-01T00:00:00Z" },
      { labels: { alertname: "NotificationsFailing", severity: "critical" }, annotations: { summary: "ops" }, startsAt: "2026-01-02T00:00:00Z", value: null },
      { labels: { alertname: "Posted" }, startsAt: "2026-01-03T00:00:00Z", unknownSince: "2026-01-04T00:00:00Z" },
    ],
  });
  const { alerts, rules } = withOthers(known, shown);
  expect(rules).toBe(1);
  expect(alerts.map(({ name, state, since, value, threshold }) => [name, state, since, value, threshold?.value])).toEqual([
    ["NotificationsFailing", "firing", 1_767_312_000, undefined, undefined],
    ["A", "firing", 1_767_225_600, 7, 5],
    ["Posted", "unknown", 1_767_484_800, undefined, undefined],
  ]);
});

test("what is not known to be writable is not", () => {
  for (const json of [{}, null, { writable: false }, { writable: "true" }, []]) expect(notificationOf(json)).toEqual({ isWritable: false, alerts: new Map(), shown: [] });
});

test("a silence has exactly the labels of the alert, and ends", () => {
  expect(silenceOf({ alertname: "A", queue: ".*" }, "ada", "import", 1_700_000_000, 1800)).toEqual({
    matchers: [
      { name: "alertname", value: "A", isRegex: false, isEqual: true },
      { name: "queue", value: ".*", isRegex: false, isEqual: true },
    ],
    startsAt: "2023-11-14T22:13:20.000Z",
    endsAt: "2023-11-14T22:43:20.000Z",
    createdBy: "ada",
    comment: "import",
  });
});
