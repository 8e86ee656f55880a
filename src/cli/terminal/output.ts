/** Where the program writes: results to stdout, everything for people to stderr. */
import { writeSync } from "node:fs";
import { fitLine } from "../../util/format.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";

/** What a stream says when whoever read it is gone: a pipe that was closed, a terminal that is no more. */
const READER_GONE: readonly (string | undefined)[] = ["EPIPE", "EIO"];

export class Terminal {
  /** Whether people watch: then one line of stderr is redrawn in place. */
  readonly live: boolean;
  #statusShown = false;

  /** @param whenUnread called when nobody reads on, as in `nopeek sample | head`; that is no failure */
  constructor(whenUnread: () => void = () => process.exit(0)) {
    this.live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (READER_GONE.includes(error.code)) whenUnread();
        else failToWrite(error);
      });
    }
  }

  /** A piece of the result, without a line end of its own. */
  write(text: string): void {
    process.stdout.write(text);
  }

  /** One JSON value on a line of stdout. */
  json(value: unknown): void {
    this.write(`${JSON.stringify(value)}\n`);
  }

  /** A line for people. */
  note(line = ""): void {
    this.clearStatus();
    process.stderr.write(`${fitLine(line, process.stderr.columns)}\n`);
  }

  /** A line of the result. */
  line(text: string): void {
    this.write(`${fitLine(text, process.stdout.columns)}\n`);
  }

  /** Shows a line that the next one replaces; nothing where nobody watches. */
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

/** A disk that is full, for one: what is written on would be lost. */
function failToWrite(error: Error): void {
  try {
    writeSync(2, `nopeek: the output cannot be written: ${error.message}\n`);
  } finally {
    process.exit(1);
  }
}
