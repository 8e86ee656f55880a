/**
 * The built program, run as a person runs it: words in; stdout, stderr and exit code out. Every test file has a
 * folder of its own to run it in.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** For what a test file prepares: more than vitest gives, for a machine that is busy. */
export const START_MS = 60_000;

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A fresh folder, removed when the test file is done. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nopeek-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder, and what is called so in it. */
export interface TextFolder {
  readonly folder: string;
  readonly text: string;
  readonly at: (...names: readonly string[]) => string;
}

/**
 * As `makeFolder`, with a text.txt in it.
 *
 * @param given the text, or how many words of `makeText` it has
 */
export function makeFolderWithText(given: number | string): TextFolder {
  const folder = makeFolder();
  const text = typeof given === "string" ? given : makeText(WORDS, given);
  writeFileSync(join(folder, "text.txt"), text);
  return { folder, text, at: (...names) => join(folder, ...names) };
}

/** A program under way. */
export class Program {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
  #stdout = "";
  #stderr = "";

  /** @param uid run as this user, where the tests may choose */
  constructor(command: string, words: readonly string[], folder: string, uid?: number) {
    const user = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn(command, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...user });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.process = child;
    this.outcome = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) =>
        resolve({ stdout: this.#stdout, stderr: this.#stderr, code, signal }),
      );
    });
  }

  /** Waits until a stream has shown some text; fails when the program ends without. */
  async shows(pattern: RegExp, stream: "stdout" | "stderr"): Promise<void> {
    const shown = () => (stream === "stdout" ? this.#stdout : this.#stderr);
    while (!pattern.test(shown())) {
      const { stdout, stderr, exitCode, signalCode } = this.process;
      if (exitCode !== null || signalCode !== null || stdout?.destroyed || stderr?.destroyed) {
        throw new Error(`the program ended before it wrote ${pattern}: ${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Starts `nopeek` with these words. */
export function start(folder: string, ...words: readonly (string | number)[]): Program {
  if (!existsSync(MAIN))
    throw new Error(`${MAIN} is missing: these tests run the built program: npm run build`);
  return new Program(process.execPath, [MAIN, ...words.map(String)], folder);
}

/** Runs `nopeek` with these words to its end. */
export function nopeek(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  return start(folder, ...words).outcome;
}

/** As `nopeek`, for what must go well. */
export async function succeed(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  const outcome = await nopeek(folder, ...words);
  if (outcome.code !== 0)
    throw new Error(`nopeek ${words.join(" ")} gave ${outcome.code}: ${outcome.stderr}`);
  return outcome;
}

/** A failure told as people should be told: its exit code, one message with these words in it, and no stack trace. */
export function expectComplaint(outcome: Outcome, code: 1 | 2, ...words: readonly string[]): void {
  const { stderr } = outcome;
  for (const word of words) expect(stderr).toContain(word);
  expect(outcome.code, stderr).toBe(code);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("bug in nopeek");
  expect(stderr.match(/^nopeek: /gm), stderr).toHaveLength(1);
  expect(outcome.stdout).toBe("");
}

/** The lines of JSON that `nopeek` prints with --json, and nothing on stderr. */
export async function succeedInJson(
  folder: string,
  ...words: readonly (string | number)[]
): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await succeed(folder, ...words, "--json");
  expect(stderr).toBe("");
  return parseLines(stdout);
}

/** Lines of JSON. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Text in which something can be learned, the same every time; its last tenth has no character that is new. */
export function makeText(words: readonly string[], count: number): string {
  let state = 1;
  let text = "";
  for (let i = 1; i <= count; i++) {
    state = (state * 48271) % 0x7fffffff;
    text += words[state % words.length] + (i % 9 === 0 ? ".\n" : " ");
  }
  return text;
}

export const WORDS = "the fox sees a red bird and runs home to sleep under old trees while rain falls".split(
  " ",
);

/** A model and a training so small that a step takes about a millisecond, too little for more than one thread. */
export const TINY = ["--layers", 1, "--heads", 2, "--d-model", 6, "--context-length", 13].concat([
  "--batch-size",
  3,
  "--threads",
  1,
]);

/** The words that train such a model on a folder's text.txt. */
export const TRAIN = ["train", "--data", "text.txt", ...TINY];
