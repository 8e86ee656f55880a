/** Program output: results go to stdout, messages for people to stderr. */
import { writeSync } from "node:fs";
import { fitLine } from "../../util/format.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";

/** Error codes of a stream whose reader is gone: a closed pipe or a closed terminal. */
const READER_GONE: readonly (string | undefined)[] = ["EPIPE", "EIO"];

export class Terminal {
  /** Whether stderr is a terminal, so that a status line can be redrawn in place. */
  readonly live: boolean;
  #statusShown = false;

  /** @param whenUnread called when the reader closes the stream, as in `nopeek sample | head`; this is not a failure */
  constructor(whenUnread: () => void = () => process.exit(0)) {
    this.live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (READER_GONE.includes(error.code)) whenUnread();
        else failToWrite(error);
      });
    }
  }

  /** Writes part of the result, without adding a newline. */
  write(text: string): void {
    process.stdout.write(text);
  }

  /** Writes one JSON value on a line of stdout. */
  json(value: unknown): void {
    this.write(`${JSON.stringify(value)}\n`);
  }

  /** Writes a message line to stderr. */
  note(line = ""): void {
    this.clearStatus();
    process.stderr.write(`${fitLine(line, process.stderr.columns)}\n`);
  }

  /** Writes a line of the result. */
  line(text: string): void {
    this.write(`${fitLine(text, process.stdout.columns)}\n`);
  }

  /** Shows a status line that the next one replaces. Does nothing unless stderr is a terminal. */
  status(line: string): void {
    if (!this.live) return;
    const width = process.stderr.columns ?? 80;
    process.stderr.write(`\r\x1b[K${line.slice(0, width - 1)}`);
    this.#statusShown = true;
  }

  clearStatus(): void {
    if (!this.#statusShown) return;
    process.stderr.write("\r\x1b[K");
    this.#statusShown = false;
  }
}

/** Reports progress on stderr before a run starts. */
export function stderrReporter(): ProgressReporter {
  const live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
  const clear = live ? "\r\x1b[K" : "";
  return {
    note: (line) => process.stderr.write(`${clear}${fitLine(line, process.stderr.columns)}\n`),
    status: (line) => live && process.stderr.write(`${clear}${line}`),
  };
}

/** Exits on a write error such as a full disk: any further output would be lost. */
function failToWrite(error: Error): void {
  try {
    writeSync(2, `nopeek: cannot write the output: ${error.message}\n`);
  } finally {
    process.exit(1);
  }
}
