/** Which port `nopeek play` gets. */
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { USUAL_PORT } from "../../../../src/cli/commands/play/flags.ts";
import { listen } from "../../../../src/cli/commands/play/listen.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function aServer(): Server {
  const server = createServer();
  servers.push(server);
  return server;
}

test("without a wish, the usual one, and a free one if that is in use", async () => {
  const ports = [await listen(aServer()), await listen(aServer()), await listen(aServer())];
  // Another program on this machine may have the usual one.
  expect(ports.slice(1)).not.toContain(USUAL_PORT);
  expect(new Set(ports).size).toBe(3);
});

test("only this machine can connect", async () => {
  const server = aServer();
  const port = await listen(server, 0);
  expect(server.address()).toEqual({ address: "127.0.0.1", family: "IPv4", port });
});

describe("a wish that cannot be granted is an error that says what would", () => {
  test("a port in use", async () => {
    const taken = await listen(aServer(), 0);
    await expect(listen(aServer(), taken)).rejects.toThrow(
      `--port ${taken}: another program uses this port, perhaps another nopeek play; name another one, or leave out --port`,
    );
  });

  test.each([1, 22, 6000, 6667, 10080])("%i, which browsers refuse", async (port) => {
    const server = aServer();
    await expect(listen(server, port)).rejects.toThrow(`--port ${port}: browsers refuse to open this port`);
    expect(server.listening).toBe(false);
  });
});

test("browsers open the usual one", async () => {
  // Node's fetch refuses the same ports as browsers, before it connects.
  const refusal = (port: number) =>
    fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1) }).then(
      () => "",
      ({ cause }) => String(cause?.message),
    );
  expect(await refusal(6667)).toBe("bad port");
  expect(await refusal(USUAL_PORT)).not.toBe("bad port");
});
