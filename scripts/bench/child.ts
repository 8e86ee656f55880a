/** A competitor in its own process, controlled by lines of JSON (peers/protocol.js). */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as z from "zod";

export interface Program {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const ready = z.object({ ready: z.object({ version: z.string(), idleBytes: z.number() }) });
const memory = z.object({ peakBytes: z.number() });
const failure = z.object({ error: z.string() });

/** Thrown if a competitor cannot take part, with its own error message. */
export class CompetitorError extends Error {
  override name = "CompetitorError";
}

export class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  /** Its answers, in the order of the requests. */
  readonly #lines: AsyncIterator<string>;
  #complaints = "";
  /** Resolves when all its output has arrived. */
  readonly #ended: Promise<void>;
  /** The name and version of its library. */
  version = "";
  /** Memory with the library loaded but no model created. */
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
    // A dead process is detected by its missing answer.
    this.#process.stdin.on("error", () => {});
  }

  /** @throws CompetitorError if it cannot do the task */
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

  /** @throws CompetitorError if it fails */
  async ask<T>(what: string, details: object, layout: z.ZodType<T>): Promise<T> {
    return layout.parse(await this.#exchange({ do: what, ...details }));
  }

  /** Its peak memory so far, in bytes. */
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

  /** The next line that is an answer. Some libraries print a banner while they load. */
  async #nextAnswer(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) {
        await this.#ended;
        throw new CompetitorError(lastLine(this.#complaints) || "it exited without a message");
      }
      if (value.startsWith("{")) return value;
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
