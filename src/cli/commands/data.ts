/** `nopeek data`: downloads public training texts. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, DataError } from "../../errors.ts";
import { readRegular } from "../../run/regular-file.ts";
import { saveFile } from "../../run/save-file.ts";
import { nearest } from "../../util/edit-distance.ts";
import { errorCode, failureReason } from "../../util/failure-reason.ts";
import { formatCount, shellWord } from "../../util/format.ts";
import { Terminal } from "../terminal/output.ts";
import { download } from "./data/download.ts";

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
  else await get(text, flags.url ?? text.url, out, terminal);
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
function checkExisting(out: string, { bytes, sha256, name }: Text): void {
  try {
    if (hash(readRegular(out, bytes)) === sha256) return;
  } catch (cause) {
    if (errorCode(cause) === "EISDIR")
      throw new DataError(
        `${out}: is a folder; name a file in it: --out ${shellWord(join(out, `${name}.txt`))}`,
      );
    // A larger file is another text; a pipe or a file that cannot be read is not this text either.
    if (failureReason(cause) === null) throw cause;
  }
  throw new DataError(`${out}: already exists and is not ${name}; name another file with --out`);
}

async function get({ bytes, sha256 }: Text, url: string, out: string, terminal: Terminal): Promise<void> {
  terminal.note(`downloading ${formatCount(bytes)} bytes from ${url}`);
  const contents = await download(url, bytes, (done) =>
    terminal.status(`downloading: ${Math.floor((100 * done) / bytes)}%`),
  ).finally(() => terminal.clearStatus());
  if (hash(contents) !== sha256) {
    throw new DataError(
      `${url}: returned a different text: its SHA-256 is ${hash(contents).slice(0, 12)}… but should be ${sha256.slice(0, 12)}… (${formatCount(contents.length)} bytes instead of ${formatCount(bytes)}); nothing was saved`,
    );
  }
  try {
    saveFile(out, contents);
  } catch (cause) {
    const reason = errorCode(cause) === "ENOENT" ? "its folder does not exist" : failureReason(cause);
    if (reason === null) throw cause;
    throw new DataError(`${out}: cannot be written: ${reason}`, { cause });
  }
  terminal.note("SHA-256 verified");
}

function hash(contents: Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex");
}
