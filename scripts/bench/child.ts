/** A competitor as a process of its own: it is given a task, then told what to do, in lines of JSON (peers/protocol.js). */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";

export interface Program {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const ready = z.object({ ready: z.object({ version: z.string(), idleBytes: z.number() }) });
const memory = z.object({ peakBytes: z.number() });
const failure = z.object({ error: z.string() });

/** What a competitor says when it cannot take part, in its own words. */
export class CompetitorError extends Error {
  override name = "CompetitorError";
}

export class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  /** Its answers, in the order of what it was asked. */
  readonly #lines: AsyncIterator<string>;
  #complaints = "";
  /** When all that it said has arrived. */
  readonly #ended: Promise<void>;
  /** What it computes with. */
  version = "";
  /** What it holds with its library loaded and no model made. */
  idleBytes = 0;

  private constructor(program: Program) {
    this.#process = spawn(program.file, program.arguments, {
      env: { ...process.env, ...program.environment },
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-4000);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.on("close", () => resolve());
      this.#process.on("error", (error) => {
        this.#complaints += error.message;
        resolve();
      });
    });
    // Whoever has died is noticed by what it does not answer.
    this.#process.stdin.on("error", () => {});
  }

  /** @throws CompetitorError when it cannot do the task */
  static async start(program: Program, task: object): Promise<Child> {
    const child = new Child(program);
    try {
      const answer = ready.parse(await child.#exchange(task)).ready;
      child.version = answer.version;
      child.idleBytes = answer.idleBytes;
      return child;
    } catch (error) {
      child.stop();
      throw error;
    }
  }

  /** @throws CompetitorError when it fails */
  async ask<T>(what: string, details: object, layout: z.ZodType<T>): Promise<T> {
    return layout.parse(await this.#exchange({ do: what, ...details }));
  }

  /** The most memory that it has held so far, in bytes. */
  async peakBytes(): Promise<number> {
    return (await this.ask("memory", {}, memory)).peakBytes;
  }

  stop(): void {
    this.#process.stdin.end();
  }

  async #exchange(message: object): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    const answer: unknown = JSON.parse(await this.#nextAnswer());
    const failed = failure.safeParse(answer);
    if (failed.success) throw new CompetitorError(failed.data.error.split("\n")[0]);
    return answer;
  }

  /** The next line that is an answer: while libraries load, some greet. */
  async #nextAnswer(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) {
        await this.#ended;
        throw new CompetitorError(lastLine(this.#complaints) || "it ended without a word");
      }
      if (value.startsWith("{")) return value;
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
