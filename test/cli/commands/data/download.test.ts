import { createServer, type RequestListener } from "node:http";
import { afterEach, expect, it } from "vitest";
import { download, type Timer } from "../../../../src/cli/commands/data/download.ts";
import { DataError } from "../../../../src/errors.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Starts a server on this machine, and returns its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

/** A timer that expires when the test says so. */
function manualTimer() {
  const armed = new Set<() => void>();
  let count = 0;
  const timer: Timer = (expired) => {
    count += 1;
    armed.add(expired);
    return () => armed.delete(expired);
  };
  const expire = () => {
    for (const expired of armed) expired();
  };
  return { timer, expire, armed, count: () => count };
}

it("downloads a file of exactly the limit in parts, and waits anew for each", async () => {
  const { timer, armed, count } = manualTimer();
  let send = () => {};
  const url = await serve((_request, response) => {
    let left = 3;
    send = () => {
      if (left-- > 0) response.write("abc");
      else response.end();
    };
    send();
  });
  const seen: number[] = [];
  const got = await download(
    url,
    9,
    (bytes) => {
      seen.push(bytes);
      expect(armed.size).toBe(1);
      send();
    },
    timer,
  );
  expect(Buffer.from(got).toString()).toBe("abcabcabc");
  expect(seen).toEqual([3, 6, 9]);
  // One for the answer, and one after each part.
  expect(count()).toBe(4);
  expect(armed.size).toBe(0);
});

it("stops a server that sends more than the limit, however much that is", async () => {
  let sent = 0;
  let closed = () => {};
  const ended = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const url = await serve((_request, response) => {
    const chunk = Buffer.alloc(100_000);
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on("drain", more).on("close", () => closed());
    more();
  });
  await expect(download(url, 1000, () => {})).rejects.toThrow("returned more than the expected 1,000 bytes");
  // The connection is closed, so the server cannot continue.
  await ended;
  expect(sent).toBeLessThan(1e9);
});

it("stops waiting for a server that falls silent, before or after it answers", async () => {
  for (const answers of [false, true]) {
    const { timer, expire } = manualTimer();
    const url = await serve((_request, response) => {
      if (answers) response.write("abc");
      else setImmediate(expire);
    });
    const got = download(url, 9, () => setImmediate(expire), timer);
    await expect(got).rejects.toThrow(DataError);
    await expect(got).rejects.toThrow("the server stopped sending");
  }
});

it("explains an error of the server, and no server at all", async () => {
  const url = await serve((_request, response) => {
    response.statusCode = 404;
    response.end("no");
  });
  await expect(download(url, 9, () => {})).rejects.toThrow("the server answered 404 Not Found");
  for (const close of closing.splice(0)) close();
  await expect(download(url, 9, () => {})).rejects.toThrow(/cannot be reached: .*check the network/);
});
