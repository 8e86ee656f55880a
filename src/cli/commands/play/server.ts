/**
 * Serves the page of `nopeek play` to this machine: a fixed list of files, looked up by their exact address. An
 * address is not joined to a folder.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Asset } from "../../../play/assets.ts";
import { HEADERS } from "../../../play/headers.ts";
import { failureReason } from "../../../util/failure-reason.ts";

export const HOST = "127.0.0.1";

/**
 * The names of this machine. A foreign page can make its own name lead here (DNS rebinding), but its requests carry
 * that name. Any port is right: `ssh -L 8080:127.0.0.1:6673` changes it.
 */
const OWN_NAME = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Formats that are compressed already, or hardly become smaller. */
const DENSE = "application/octet-stream";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * @param root the folder of the package
 * @returns a server that does not listen yet
 */
export function pageServer(root: string, assets: readonly Asset[]): Server {
  const files = new Map(assets.map((asset) => [`/${asset.path}`, asset]));
  return createServer((request, response) => {
    void answer(request, root, files).then((content) => send(request, response, content));
  });
}

async function answer(
  { method, url = "", headers }: IncomingMessage,
  root: string,
  files: ReadonlyMap<string, Asset>,
): Promise<Answer> {
  if (headers.host === undefined || !OWN_NAME.test(headers.host)) {
    return inWords(
      421,
      `this server answers to ${HOST} and localhost only, not to ${headers.host ?? "no name"}`,
    );
  }
  if (method !== "GET" && method !== "HEAD") {
    return inWords(405, `${method} is not possible here, only GET and HEAD`, { allow: "GET, HEAD" });
  }
  const [path] = url.split("?", 1);
  const asset = files.get(path);
  if (asset === undefined) return inWords(404, `${path} is no part of the page; the page is at /`);
  try {
    return await fileAnswer(await readFile(join(root, asset.file)), asset, headers);
  } catch (cause) {
    const reason = failureReason(cause);
    if (reason === null) throw cause;
    return inWords(500, `${asset.file} cannot be read: ${reason}`);
  }
}

async function fileAnswer(
  contents: Uint8Array,
  { type }: Asset,
  request: IncomingMessage["headers"],
): Promise<Answer> {
  // Weak, because it is the same for the compressed file.
  const tag = `W/"${createHash("sha256").update(contents).digest("base64url")}"`;
  const headers = { "content-type": type, etag: tag, "cache-control": "no-cache", vary: "accept-encoding" };
  if (request["if-none-match"]?.split(/\s*,\s*/).includes(tag)) {
    return { status: 304, headers, body: new Uint8Array() };
  }
  if (type === DENSE || !acceptsGzip(request["accept-encoding"]))
    return { status: 200, headers, body: contents };
  const body = await promisify(gzip)(contents);
  return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body };
}

/** Source: RFC 9110, section 12.5.3; a weight of 0 refuses. */
function acceptsGzip(accepted: unknown): boolean {
  return (
    typeof accepted === "string" && /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(accepted)
  );
}

function inWords(status: number, words: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const type = { "content-type": "text/plain; charset=utf-8" };
  return { status, headers: { ...type, ...headers }, body: new TextEncoder().encode(`${words}\n`) };
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void {
  const length = status === 304 ? {} : { "content-length": body.length };
  response.writeHead(status, { ...HEADERS, ...headers, ...length });
  response.end(method === "HEAD" ? undefined : body);
}
