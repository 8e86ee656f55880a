/** Chooses the port of `nopeek play`. */
import { once } from "node:events";
import type { Server } from "node:http";
import { ConfigError, DataError } from "../../../errors.ts";
import { errorCode } from "../../../util/failure-reason.ts";
import { USUAL_PORT } from "./flags.ts";
import { HOST } from "./server.ts";

/** The first port that needs no privilege. */
const FIRST_FREE = 1024;

/** Ports at which browsers open no page. Source: https://fetch.spec.whatwg.org/#port-blocking */
const BLOCKED: ReadonlySet<number> = new Set([
  ...[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  ],
  ...[
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  ],
  ...[526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049],
  ...[3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/**
 * Makes the server listen on this machine's own address.
 *
 * @param port the wanted port, 0 for any free one; without it, the usual one or else any free one
 * @returns the port that it listens on
 * @throws ConfigError if no browser opens this port
 * @throws DataError if the port is taken or reserved
 */
export async function listen(server: Server, port?: number): Promise<number> {
  if (port !== undefined && BLOCKED.has(port)) {
    throw new ConfigError(
      `--port ${port}: browsers refuse to open this port, which belongs to another protocol; name another one, such as ${USUAL_PORT}`,
    );
  }
  try {
    return await listenOn(server, port ?? USUAL_PORT);
  } catch (cause) {
    const code = errorCode(cause);
    if (port === undefined && (code === "EADDRINUSE" || code === "EACCES")) return listenOn(server, 0);
    if (code === "EADDRINUSE") {
      throw new DataError(
        `--port ${port}: another program uses this port, perhaps another nopeek play; name another one, or leave out --port to get a free one`,
        { cause },
      );
    }
    if (code === "EACCES") {
      throw new DataError(
        `--port ${port}: the system does not let you use this port; ports from ${FIRST_FREE} up usually work`,
        { cause },
      );
    }
    throw cause;
  }
}

async function listenOn(server: Server, port: number): Promise<number> {
  server.listen({ port, host: HOST, exclusive: true });
  // Rejects if the server reports an error instead.
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server without a port");
  return address.port;
}
