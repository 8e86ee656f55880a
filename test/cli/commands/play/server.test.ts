/** What the server of `nopeek play` answers, to requests of browsers and of attackers. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request, type Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listen } from "../../../../src/cli/commands/play/listen.ts";
import { pageServer } from "../../../../src/cli/commands/play/server.ts";
import type { Asset } from "../../../../src/play/assets.ts";
import { makeFolder } from "../../../support/program.ts";

const folder = makeFolder();
const PAGE = "<!doctype html><title>a page</title>";
const WEIGHTS = Buffer.from(Array.from({ length: 997 }, (_, i) => i % 7));
const ASSETS: readonly Asset[] = [
  { path: "", file: "built/index.html", type: "text/html; charset=utf-8", group: "shell" },
  { path: "model/weights", file: "run/weights", type: "application/octet-stream", group: "on demand" },
];

let server: Server;
let port: number;
beforeEach(async () => {
  for (const name of ["built", "run"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "built/index.html"), PAGE);
  writeFileSync(join(folder, "run/weights"), WEIGHTS);
  writeFileSync(join(folder, "secret"), "not part of the page");
  server = pageServer(folder, ASSETS);
  port = await listen(server, 0);
});
afterEach(() => server.close());

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends the path as it is: unlike fetch, this does not normalize it. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
      });
    });
    sent.on("error", reject).end();
  });
}

/** The first line of the answer to bytes that no client would send. */
async function askRaw(bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  return (await text(socket)).split("\r\n")[0];
}

describe("a file of the list", () => {
  test("is sent as it is, with its type and length", async () => {
    for (const path of ["/", "/?seed=5&mask=off"]) {
      const { status, headers, body } = await ask(path);
      expect(status).toBe(200);
      expect(headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(headers["content-length"]).toBe(String(PAGE.length));
      expect(headers["content-encoding"]).toBeUndefined();
      expect(String(body)).toBe(PAGE);
    }
    expect((await ask("/model/weights")).body.equals(WEIGHTS)).toBe(true);
  });

  test("is compressed for those who accept that, if it helps", async () => {
    for (const accepted of ["gzip", "br, gzip;q=0.8", "deflate,GZIP"]) {
      const { headers, body } = await ask("/", { "accept-encoding": accepted });
      expect(headers["content-encoding"], accepted).toBe("gzip");
      expect(headers["content-length"]).toBe(String(body.length));
      expect(headers.vary).toBe("accept-encoding");
      expect(String(gunzipSync(body))).toBe(PAGE);
    }
    for (const accepted of ["br", "gzip;q=0", "gzip; q=0.0, br", "xgzip"]) {
      const { headers, body } = await ask("/", { "accept-encoding": accepted });
      expect(headers["content-encoding"], accepted).toBeUndefined();
      expect(String(body)).toBe(PAGE);
    }
    const weights = await ask("/model/weights", { "accept-encoding": "gzip" });
    expect(weights.headers["content-encoding"]).toBeUndefined();
  });

  test("is not sent again while it is the same", async () => {
    const first = await ask("/");
    expect(first.headers["cache-control"]).toBe("no-cache");
    const etag = String(first.headers.etag);
    const again = await ask("/", { "if-none-match": `"other", ${etag}` });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await ask("/model/weights", { "if-none-match": etag })).status).toBe(200);
    writeFileSync(join(folder, "built/index.html"), PAGE.replace("a page", "b page"));
    const changed = await ask("/", { "if-none-match": etag });
    expect([changed.status, String(changed.body)]).toEqual([200, PAGE.replace("a page", "b page")]);
  });

  test("HEAD gives the headers of GET, and no body", async () => {
    for (const headers of [{}, { "accept-encoding": "gzip" }]) {
      const [get, head] = [await ask("/", headers), await ask("/", headers, "HEAD")];
      const { date: _, ...got } = get.headers;
      expect(head.headers).toMatchObject(got);
      expect([head.status, head.body.length]).toEqual([200, 0]);
    }
  });

  test("that was deleted meanwhile is an answer, not a crash", async () => {
    rmSync(join(folder, "run/weights"));
    const { status, body } = await ask("/model/weights");
    expect(status).toBe(500);
    expect(String(body)).toContain("run/weights cannot be read: it is not there");
    expect(String(body)).not.toContain(folder);
    expect((await ask("/")).status).toBe(200);
  });
});

describe("refused:", () => {
  test.each([
    "/secret",
    "/../secret",
    "/model/../../secret",
    "/model/../",
    "/%2e%2e/secret",
    "/model/%2e%2e/%2e%2e/secret",
    "/..%2fsecret",
    "/..\\secret",
    "/%00",
    "//",
    "/./",
    "/built/index.html",
    "/run/weights",
    "/model/weights/",
    "/model/weights%00",
    "/MODEL/weights",
    "/etc/passwd",
    "/constructor",
    "/__proto__",
    "http://127.0.0.1/",
    "*",
  ])("%s, which is not in the list", async (path) => {
    const { status, body, headers } = await ask(path);
    expect(status).toBe(404);
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(String(body)).toContain("the page is at /");
    expect(String(body)).not.toContain("not part of the page");
  });

  test.each([
    "attacker.example",
    "attacker.example:6673",
    "127.0.0.1.attacker.example",
    "localhost.attacker.example:80",
    "attacker.example#127.0.0.1",
    "user@127.0.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "[::]",
    "127.0.0.1:",
  ])("a request for the host %j", async (host) => {
    const { status, body } = await ask("/", { host });
    expect(status).toBe(421);
    expect(String(body)).toContain("answers to 127.0.0.1 and localhost only");
  });

  test("a request without a host", async () => {
    expect(await askRaw("GET / HTTP/1.0\r\n\r\n")).toBe("HTTP/1.1 421 Misdirected Request");
    expect(await askRaw("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")).toBe(
      "HTTP/1.1 421 Misdirected Request",
    );
    expect(await askRaw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).toBe("HTTP/1.1 400 Bad Request");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])("%s", async (method) => {
    const { status, headers, body } = await ask("/", {}, method);
    expect(status).toBe(405);
    expect(headers.allow).toBe("GET, HEAD");
    expect(String(body)).toContain(method);
  });

  test("bytes that are not HTTP; the next request is answered", async () => {
    expect(await askRaw("\0\0\0\r\n\r\n")).toBe("HTTP/1.1 400 Bad Request");
    // Beyond Node's limit of 16 KiB, but short enough to arrive at once: bytes after the answer would reset the connection.
    expect(await askRaw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).toBe(
      "HTTP/1.1 431 Request Header Fields Too Large",
    );
    expect((await ask("/")).status).toBe(200);
  });
});

test.each(["127.0.0.1", "localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:6673"])(
  "%s is a name of this machine, at any port, as behind ssh -L",
  async (host) => {
    expect((await ask("/", { host })).status).toBe(200);
  },
);

test("every answer isolates the page and limits what it may do", async () => {
  const replies = [
    await ask("/"),
    await ask("/model/weights", {}, "HEAD"),
    await ask("/", { "if-none-match": String((await ask("/")).headers.etag) }),
    await ask("/no-such-file"),
    await ask("/", {}, "POST"),
    await ask("/", { host: "attacker.example" }),
  ];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 304, 404, 405, 421]);
  for (const { headers } of replies) {
    expect(headers).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    const rules = String(headers["content-security-policy"]).split("; ");
    expect(rules).toContain("default-src 'none'");
    expect(rules).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(rules).toContain("frame-ancestors 'none'");
    expect(rules.join().replace("'wasm-unsafe-eval'", "")).not.toMatch(/unsafe|\*|https?:/);
  }
});
