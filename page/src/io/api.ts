/** Requests to the server that the page came from. */

import { object, text, texts } from "../model/json.ts";

/** The server did not answer in time, or not at all. */
export class Lost extends Error {}

/** The server refused the request. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Milliseconds for an answer. */
const QUERY = 30_000;
const PROBE = 4_000;
/** Queries at a time: browsers open six connections to a host, and one stays for the status. */
const QUERIES = 5;

/** So that a refusal does not make the browser ask for a password by itself. */
const OF_THE_PAGE = { "x-vigie-page": "1" };
const UNAUTHORIZED = 401;

const refusals = new Set<() => void>();

/** Calls the listener whenever the server wants credentials. The answer ends that. */
export const onRefusal = (listener: () => void): (() => void) => {
  refusals.add(listener);
  return () => refusals.delete(listener);
};

/** The difference between the clock of the server and this one, in milliseconds. */
let skew = 0;

/** The time of the server, in seconds since the epoch. */
export const now = (): number => (Date.now() + skew) / 1000;

const noteClock = (response: Response) => {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) return;
  const difference = date + 500 - Date.now();
  // A header has whole seconds, and takes its time; smaller differences do not matter.
  skew = Math.abs(difference) > 2_000 ? difference : 0;
};

/** An address below the page's own, which may have a path prefix. */
const address = (path: string): string => new URL(path, document.baseURI).href;

/** The method, headers and body of a request. The browser adds the cookie of the session. */
type Sent = Pick<RequestInit, "method" | "body" | "headers">;

const request = async (path: string, timeout: number, signal?: AbortSignal, sent: Sent = {}): Promise<Response> => {
  const deadline = AbortSignal.timeout(timeout);
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  try {
    const headers = { ...sent.headers, ...OF_THE_PAGE };
    const response = await fetch(address(path), { ...sent, signal: either, credentials: "same-origin", headers });
    noteClock(response);
    if (response.status === UNAUTHORIZED) for (const listener of refusals) listener();
    return response;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Lost(error instanceof Error ? error.message : String(error));
  }
};

const parsed = async (response: Response): Promise<unknown> => {
  const body = await response.text().catch((error: unknown) => {
    throw new Lost(String(error));
  });
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(response.status, body.slice(0, 300) || response.statusText);
  }
};

/** The JSON of a path; also if its status is that of an error, for `/readyz`. */
export const probe = async (path: string): Promise<{ status: number; json: unknown }> => {
  const response = await request(path, PROBE);
  return { status: response.status, json: await parsed(response) };
};

export const json = async (path: string, signal?: AbortSignal): Promise<unknown> => {
  const response = await request(path, QUERY, signal);
  const found = await parsed(response);
  if (!response.ok) throw new Refused(response.status, text(object(found).error) ?? response.statusText);
  return found;
};

/** The reason in the answer to a change: a text or an object in JSON, or plain text. */
const reason = (body: string): string => {
  try {
    const json: unknown = JSON.parse(body);
    return text(json) ?? text(object(json).message) ?? text(object(json).error) ?? body;
  } catch {
    return body;
  }
};

/** Asks for a change. */
export const send = async (method: "POST" | "DELETE", path: string, body?: object): Promise<void> => {
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await request(path, QUERY, undefined, { method, ...content });
  if (!response.ok) throw new Refused(response.status, reason(await response.text().catch(() => "")).slice(0, 300) || response.statusText);
};

/** The text of a path. */
export const plain = async (path: string, signal: AbortSignal): Promise<string> => {
  const response = await request(path, QUERY, signal);
  const body = await response.text().catch((error: unknown) => {
    throw new Lost(String(error));
  });
  if (!response.ok) throw new Refused(response.status, body.slice(0, 300) || response.statusText);
  return body;
};

let running = 0;
const waiting: (() => void)[] = [];

const turn = async <T>(work: () => Promise<T>): Promise<T> => {
  if (running >= QUERIES) await new Promise<void>((resume) => waiting.push(resume));
  else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
};

/** A successful answer of `/api/v1`. */
export interface Answer {
  data: unknown;
  warnings: string[];
}

/** An answer of `/api/v1`; `path` is below that. */
export const answer = (path: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<Answer> =>
  turn(async () => {
    signal?.throwIfAborted();
    const response = await request(`api/v1/${path}?${new URLSearchParams(parameters)}`, QUERY, signal);
    const found = object(await parsed(response));
    if (found.status !== "success") throw new Refused(response.status, text(found.error) ?? response.statusText);
    return { data: found.data, warnings: texts(found.warnings) };
  });

/** The `data` of an answer of `/api/v1`. */
export const query = async (path: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<unknown> => (await answer(path, parameters, signal)).data;
