/** A real browser and a small web server, for tests of what runs in pages. */
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import type { Browser } from "playwright-core";
import { findChromium, launch } from "./chromium.ts";

/** What a page must be served with to get several threads. */
export const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export interface Served {
  /** Ends with a slash. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Whether there is a browser. Tests that need one are skipped if not. */
export const hasChromium = findChromium() !== null;

/** @param flags command-line flags of Chromium, such as "--js-flags=--noexpose-wasm" */
export function startChromium(flags: readonly string[] = []): Promise<Browser> {
  const path = findChromium();
  if (path === null) throw new Error("there is no Chromium; set CHROME_PATH");
  return launch(path, flags);
}

/**
 * Serves the files of a folder on a free port of 127.0.0.1.
 *
 * @param headers sent with every file
 * @param types   the Content-Type by a file's ending, for those that should differ from the usual
 * @param receive called with the body of each POST
 */
export async function serve(
  folder: string,
  headers: Readonly<Record<string, string>> = ISOLATED,
  types: Readonly<Record<string, string>> = {},
  receive: (body: string) => void = () => {},
): Promise<Served> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const { url = "/", method } = request;
    if (method === "POST") {
      receive(Buffer.concat(await request.toArray()).toString());
      response.end();
      return;
    }
    const { pathname } = new URL(url, "http://localhost");
    requests.push(pathname);
    const file = join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = { ...TYPES, ...types }[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, ...headers }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${address.port}/`, requests, close };
}
