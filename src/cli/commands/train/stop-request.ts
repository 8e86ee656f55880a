/** Requests to end a training run: signals, and output that can no longer be written. */
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { isatty } from "node:tty";
import { EXIT_CODES, SIGNALS, type Signal } from "../../shared/signals.ts";
import { nowMs } from "../../terminal/clock.ts";
import { cannotWrite, isReaderGone } from "../../terminal/output.ts";

/** npm forwards a Ctrl-C that the terminal has already sent: a second signal within this time is the same one. */
const ONE_KEYSTROKE_MS = 300;

/** Thrown between two batches when a run is to end. */
export class Stopped extends Error {}

export class StopRequest {
  /** What announces that the run ends; null while there is nothing to save. */
  #announce: ((reason: string | null) => void) | null = null;
  #heardMs: number | null = null;
  #exitCode = 0;
  #thrown = false;
  #hungUp = false;
  readonly #hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));

  /**
   * From here on a signal ends the run by `Stopped`. Before, it ends the program at once.
   *
   * @param announce called when a request is heard; its argument is the reason, if a person would not know it
   */
  listen(announce: (reason: string | null) => void): void {
    this.#announce = announce;
    for (const signal of SIGNALS) process.on(signal, this.#signaled);
  }

  /** From here on a signal ends the program at once, even in the middle of a step. */
  ignore(): void {
    this.#announce = null;
    for (const signal of SIGNALS) process.off(signal, this.#signaled);
  }

  /**
   * Signals and closed pipes are heard only in a turn of the event loop, which this takes.
   *
   * @throws Stopped once, after a request
   */
  readonly check = async (): Promise<void> => {
    await nextTurn();
    if (this.#heardMs === null || this.#thrown) return;
    this.#thrown = true;
    throw new Stopped();
  };

  /** Waits until a second signal is another keystroke, which ends the program at once. */
  async settle(): Promise<void> {
    await pause(Math.max(0, ONE_KEYSTROKE_MS - (nowMs() - (this.#heardMs ?? 0))));
    this.ignore();
  }

  /** Output is lost: the reader is gone, or the disk is full. */
  readonly outputLost = (error: NodeJS.ErrnoException): void => {
    const readerGone = isReaderGone(error);
    this.#hungUp ||= error.code === "EIO";
    this.#request(readerGone ? EXIT_CODES.SIGINT : 1, readerGone ? null : cannotWrite(error));
  };

  /** Another process of the run was asked to stop. */
  askedElsewhere(): void {
    this.#request(EXIT_CODES.SIGTERM, null);
  }

  /** Ends the program. */
  exit(): void {
    // At its end Node restores the settings of the terminal. It aborts if the terminal is gone.
    if (this.#hungUp && this.#hasTerminal) process.kill(process.pid, "SIGHUP");
    process.exit(this.#exitCode);
  }

  readonly #signaled = (signal: Signal): void => {
    this.#hungUp ||= signal === "SIGHUP";
    this.#request(EXIT_CODES[signal], null);
  };

  #request(exitCode: number, reason: string | null): void {
    if (this.#heardMs !== null) return;
    this.#heardMs = nowMs();
    this.#exitCode = exitCode;
    if (this.#announce === null) this.exit();
    else this.#announce(reason);
  }
}
