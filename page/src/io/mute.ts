/** Acknowledging and silencing alerts. */

import { silenceOf } from "../model/notified.ts";
import { now, send } from "./api.ts";

const acknowledgement = (fingerprint: string) => `vigie/v1/alerts/${encodeURIComponent(fingerprint)}/ack`;

/** Until the alert resolves. */
export const acknowledge = (fingerprint: string, by: string, comment: string) => send("POST", acknowledgement(fingerprint), { by, comment });

export const unacknowledge = (fingerprint: string) => send("DELETE", acknowledgement(fingerprint));

/** For `duration` seconds. */
export const silence = (labels: Readonly<Record<string, string>>, by: string, comment: string, duration: number) =>
  send("POST", "api/v2/silences", silenceOf(labels, by, comment, now(), duration));

export const unsilence = (id: string) => send("DELETE", `api/v2/silence/${encodeURIComponent(id)}`);
