/** Program output: results go to stdout, messages for people to stderr. */
import { writeSync } from "node:fs";
import { fitLine } from "../../util/format.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";

/** Whether an error says that the reader of a stream is gone: a closed pipe or a closed terminal. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "EIO";
}

export class Terminal {
  /** Whether stderr is a terminal, so that a status line can be redrawn in place. */
  readonly live: boolean;
  #statusShown = false;

  /** @param whenLost called when nothing more can be written to stdout or stderr; by default the program ends */
  constructor(whenLost: (error: NodeJS.ErrnoException) => void = endProgram) {
    this.live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
    for (const stream of [process.stdout, process.stderr]) stream.on("error", whenLost);
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

/** A closed pipe is no failure, as in `nopeek sample | head`; a full disk is. */
function endProgram(error: NodeJS.ErrnoException): void {
  if (isReaderGone(error)) process.exit(0);
  try {
    writeSync(2, `nopeek: ${cannotWrite(error)}\n`);
  } finally {
    process.exit(1);
  }
}

export function cannotWrite({ message }: Error): string {
  return `cannot write the output: ${message}`;
}
