/**
 * Program output: results go to stdout, messages for people to stderr. All of it passes through here and is made
 * printable, because names, settings, errors and texts may come from a foreign run. No other file writes to a stream.
 */
import { writeSync } from "node:fs";
import { fitLine, fitMessage } from "../../util/format.ts";
import { printable, printableJson } from "../../util/printable.ts";
import type { ProgressReporter } from "../../util/progress-reporter.ts";
import { canRedraw } from "./colors.ts";
import { printableDrawing, renderSpans, type Span } from "./styled.ts";

/** Whether an error says that the reader of a stream is gone: a closed pipe or a closed terminal. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "EIO";
}

export class Terminal {
  /** Whether stderr is a terminal, so that a status line can be redrawn in place. */
  readonly live: boolean;
  #statusShown = false;
  /** Whether the last character of `text` was a carriage return, shown as a line break. */
  #returned = false;

  /** @param whenLost called when nothing more can be written to stdout or stderr; by default the program ends */
  constructor(whenLost: (error: NodeJS.ErrnoException) => void = endProgram) {
    this.live = canRedraw(process.stderr);
    for (const stream of [process.stdout, process.stderr]) stream.on("error", whenLost);
  }

  /** Writes part of the result, without adding a newline. */
  write(text: string): void {
    process.stdout.write(printable(text));
  }

  /** Writes text of a model: to a file or a pipe exactly as it is, to a terminal printable. */
  text(text: string): void {
    if (process.stdout.isTTY !== true) process.stdout.write(text);
    else this.write(this.#withLineFeeds(text));
  }

  /** Writes one JSON value on a line of stdout. */
  json(value: unknown): void {
    process.stdout.write(`${printableJson(value)}\n`);
  }

  /** Writes a message line to stderr. A line in pieces may have styles, and is not wrapped. */
  note(line: string | readonly (string | Span)[] = "", color = false): void {
    this.clearStatus();
    process.stderr.write(`${noteText(line, color, process.stderr.columns)}\n`);
  }

  /** Writes a line of the result. */
  line(text: string): void {
    this.write(`${fitLine(text, process.stdout.columns)}\n`);
  }

  /** Writes a line of a chart, whose styles stay. */
  drawing(line: string): void {
    process.stdout.write(`${printableDrawing(line)}\n`);
  }

  /** Shows a status line that the next one replaces. Does nothing unless stderr is a terminal. */
  status(line: string): void {
    if (!this.live) return;
    const width = process.stderr.columns || 80;
    process.stderr.write(`\r\x1b[K${printable(line).slice(0, width - 1)}`);
    this.#statusShown = true;
  }

  clearStatus(): void {
    if (!this.#statusShown) return;
    process.stderr.write("\r\x1b[K");
    this.#statusShown = false;
  }

  /** Turns CR and CRLF into line feeds, also if they arrive in two pieces. */
  #withLineFeeds(text: string): string {
    if (text === "") return "";
    const rest = this.#returned && text.startsWith("\n") ? text.slice(1) : text;
    this.#returned = text.endsWith("\r");
    return rest.replace(/\r\n?/g, "\n");
  }
}

/** A message line as it is written: printable, and wrapped for a terminal of this width. */
export function noteText(
  line: string | readonly (string | Span)[],
  color: boolean,
  columns: number | undefined,
): string {
  return typeof line === "string" ? fitLine(printable(line), columns) : renderSpans(line, color);
}

/** Writes a message to stderr, before there is a `Terminal` or when the program ends. */
export function printMessage(message: string): void {
  process.stderr.write(`${fitMessage(printable(message), process.stderr.columns)}\n`);
}

/** Writes a part of a message or of a help text that is already wrapped. */
export function printPart(stream: "stdout" | "stderr", text: string): void {
  process[stream].write(printable(text));
}

/** Reports progress on stderr before a run starts. */
export function stderrReporter(): ProgressReporter {
  const live = canRedraw(process.stderr);
  let shown = false;
  const clear = () => (shown ? "\r\x1b[K" : "");
  return {
    note: (line) => {
      process.stderr.write(`${clear()}${noteText(line, false, process.stderr.columns)}\n`);
      shown = false;
    },
    status: (line) => {
      if (!live) return;
      process.stderr.write(`${clear()}${printable(line)}`);
      shown = line !== "";
    },
  };
}

/** A closed pipe is no failure, as in `nopeek sample | head`; a full disk is. */
function endProgram(error: NodeJS.ErrnoException): void {
  if (isReaderGone(error)) process.exit(0);
  try {
    writeSync(2, `nopeek: ${printable(cannotWrite(error))}\n`);
  } finally {
    process.exit(1);
  }
}

export function cannotWrite({ message }: Error): string {
  return `cannot write the output: ${message}`;
}
