/** A headless terminal emulator: turns bytes into the text on the screen. */
import xterm from "@xterm/headless";
import type { LiveScreen } from "../../src/cli/commands/train/display/live-progress.ts";

export class Emulator implements LiveScreen {
  readonly #terminal: xterm.Terminal;
  readonly #listeners = new Set<() => void>();
  /** Everything written so far. */
  bytes = "";

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  write(text: string): void {
    this.bytes += text;
    this.#terminal.write(text);
  }

  on(_event: "resize", listener: () => void): void {
    this.#listeners.add(listener);
  }

  off(_event: "resize", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Resizes like a real window: the text reflows first, and then the program is notified. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#settle();
    this.#terminal.resize(columns, rows);
    for (const listener of this.#listeners) listener();
    await this.#settle();
  }

  /** Whether the cursor is visible, according to the last escape sequence about it. */
  get showsCursor(): boolean {
    return this.bytes.lastIndexOf("\x1b[?25l") <= this.bytes.lastIndexOf("\x1b[?25h");
  }

  /** The visible lines, without empty lines at the end. */
  async screen(): Promise<string[]> {
    return this.#lines((buffer) => buffer.baseY);
  }

  /** All lines, including those scrolled out of view. */
  async text(): Promise<string[]> {
    return this.#lines(() => 0);
  }

  /** The lines from `start` on. Wrapped lines are joined. */
  async #lines(start: (buffer: xterm.IBuffer) => number): Promise<string[]> {
    await this.#settle();
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let i = start(buffer); i < buffer.length; i++) {
      const line = buffer.getLine(i);
      const text = line?.translateToString(true) ?? "";
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  /** Waits until the emulator has processed everything, which takes several turns of the event loop. */
  #settle(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write("", resolve));
  }
}
