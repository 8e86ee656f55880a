/** `nopeek data`: downloads public training texts. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { ConfigError, DataError } from "../../errors.ts";
import { nearest } from "../../util/edit-distance.ts";
import { formatCount, shellWord } from "../../util/format.ts";
import { Terminal } from "../terminal/output.ts";

interface Text {
  readonly name: string;
  readonly about: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

const TEXTS: readonly Text[] = [
  {
    name: "tinyshakespeare",
    about: "40,000 lines of Shakespeare's plays, from char-rnn",
    url: "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    bytes: 1_115_394,
    sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
  },
];

/** A download that takes longer than this fails. */
const TIMEOUT_MS = 30_000;

export interface DataFlags {
  readonly out?: string;
  readonly url?: string;
}

export async function getData(name: string | undefined, flags: DataFlags): Promise<void> {
  const terminal = new Terminal();
  if (name === undefined) return list(terminal);
  const text = TEXTS.find((each) => each.name === name);
  if (text === undefined) {
    const names = TEXTS.map((each) => each.name);
    throw new ConfigError(
      `there is no text "${name}"; did you mean "${nearest(name, names)}"? Run nopeek data to list them all`,
    );
  }
  const out = flags.out ?? `${text.name}.txt`;
  if (existsSync(out)) checkExisting(out, text);
  else await download(text, flags.url ?? text.url, out, terminal);
  terminal.note(`train on it: npx nopeek train --data ${shellWord(out)}`);
  terminal.write(`${out}\n`);
}

function list(terminal: Terminal): void {
  for (const { name, about, bytes, url } of TEXTS) {
    terminal.line(`${name}  ${about}: ${formatCount(bytes)} bytes, from ${url}`);
  }
  terminal.note("download one:               npx nopeek data tinyshakespeare");
  terminal.note("train on the bundled tales: npx nopeek train");
}

/** @throws DataError if the output file exists with other contents */
function checkExisting(out: string, { sha256, name }: Text): void {
  if (hash(readFileSync(out)) === sha256) return;
  throw new DataError(`${out}: already exists and is not ${name}; name another file with --out`);
}

async function download(
  { bytes, sha256 }: Text,
  url: string,
  out: string,
  terminal: Terminal,
): Promise<void> {
  terminal.note(`downloading ${formatCount(bytes)} bytes from ${url}`);
  const contents = await fetchBytes(url);
  if (hash(contents) !== sha256) {
    throw new DataError(
      `${url}: returned a different text: its SHA-256 is ${hash(contents).slice(0, 12)}… but should be ${sha256.slice(0, 12)}… (${formatCount(contents.length)} bytes instead of ${formatCount(bytes)}); nothing was saved`,
    );
  }
  const partial = `${out}.partial`;
  try {
    writeFileSync(partial, contents, { flush: true });
    renameSync(partial, out);
  } catch (cause) {
    rmSync(partial, { force: true });
    if (!(cause instanceof Error)) throw cause;
    throw new DataError(`${out}: cannot be written: ${cause.message}`, { cause });
  }
  terminal.note("SHA-256 verified");
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok)
      throw new DataError(`${url}: the server answered ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    if (cause instanceof DataError || !(cause instanceof Error)) throw cause;
    const why = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new DataError(
      `${url}: cannot be reached: ${why}; check the network connection, or train on the bundled tales, which need none: npx nopeek train`,
      { cause },
    );
  }
}

function hash(contents: Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex");
}
