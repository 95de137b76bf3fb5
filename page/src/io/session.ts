/** The session of this browser. Its secret is in a cookie that no script can read. */

import { object } from "../model/json.ts";
import { json, send } from "./api.ts";

/** What the server asks for. */
export type Kind = "token" | "password" | "nothing";

export interface Session {
  by: Kind;
  isOpen: boolean;
}

export type Credentials = { token: string } | { username: string; password: string };

const KINDS: readonly Kind[] = ["token", "password"];

export const session = async (signal: AbortSignal): Promise<Session> => {
  const { by, session } = object(await json("login", signal));
  return { by: KINDS.find((kind) => kind === by) ?? "nothing", isOpen: session === true };
};

export const signIn = (credentials: Credentials): Promise<void> => send("POST", "login", credentials);

export const signOut = (): Promise<void> => send("POST", "logout");
