/** Where the program writes: results to stdout, everything for people to stderr. */
import { writeSync } from "node:fs";

export class Terminal {
  /** Whether people watch: then one line of stderr is redrawn in place. */
  readonly live: boolean;
  #statusShown = false;

  constructor() {
    this.live = process.stderr.isTTY === true && process.env.TERM !== "dumb";
    // `nopeek sample | head` closes the pipe early; that is no failure.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
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
    process.stderr.write(`${line}\n`);
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

  /** A last line that must be out before the process ends at once. */
  lastWord(line: string): void {
    this.clearStatus();
    writeSync(2, `${line}\n`);
  }
}
