/** A reverse proxy that removes a path prefix. */

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface Proxy {
  address: string;
  close(): Promise<void>;
}

/** Forwards what is below `prefix` to `target`, and answers 404 to anything else. */
export const prefixed = async (prefix: string, target: string): Promise<Proxy> => {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    if (!path.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const forwarded = request(`${target}${path.slice(prefix.length)}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
