/**
 * Runs the built program as a user would, and returns stdout, stderr and the exit code. Each test file
 * has its own folder to run it in.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The timeout for setup hooks, longer than vitest's default for busy machines. */
export const START_MS = 60_000;

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A new folder, removed when the test file is done. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nopeek-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder, and a function for paths in it. */
export interface TextFolder {
  readonly folder: string;
  readonly text: string;
  readonly at: (...names: readonly string[]) => string;
}

/**
 * Like `makeFolder`, with a text.txt in it.
 *
 * @param given the text, or the number of words of `makeText`
 */
export function makeFolderWithText(given: number | string): TextFolder {
  const folder = makeFolder();
  const text = typeof given === "string" ? given : makeText(WORDS, given);
  writeFileSync(join(folder, "text.txt"), text);
  return { folder, text, at: (...names) => join(folder, ...names) };
}

/** A running program. */
export class Program {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
  #stdout = "";
  #stderr = "";

  /** @param uid run as this user, if the tests have permission */
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

  /** Waits until a stream has printed some text. Fails if the program ends before that. */
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

/** Starts `nopeek` with these arguments. */
export function start(folder: string, ...words: readonly (string | number)[]): Program {
  if (!existsSync(MAIN))
    throw new Error(`${MAIN} is missing: these tests run the built program; run npm run build first`);
  return new Program(process.execPath, [MAIN, ...words.map(String)], folder);
}

/** Runs `nopeek` with these arguments until it exits. */
export function nopeek(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  return start(folder, ...words).outcome;
}

/** Like `nopeek`, and fails unless the exit code is 0. */
export async function succeed(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  return checkSuccess(words, await nopeek(folder, ...words));
}

/** @throws Error if the exit code is not 0 */
export function checkSuccess(words: readonly (string | number)[], outcome: Outcome): Outcome {
  if (outcome.code !== 0)
    throw new Error(`nopeek ${words.join(" ")} exited with ${outcome.code}: ${outcome.stderr}`);
  return outcome;
}

/** Expects a proper failure: this exit code, one message that contains these words, and no stack trace. */
export function expectComplaint(outcome: Outcome, code: 1 | 2, ...words: readonly string[]): void {
  const { stderr } = outcome;
  for (const word of words) expect(stderr).toContain(word);
  expect(outcome.code, stderr).toBe(code);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("bug in nopeek");
  expect(stderr.match(/^nopeek: /gm), stderr).toHaveLength(1);
  expect(outcome.stdout).toBe("");
}

/** Runs `nopeek` with --json and returns its lines of JSON; expects nothing on stderr. */
export async function succeedInJson(
  folder: string,
  ...words: readonly (string | number)[]
): Promise<Record<string, unknown>[]> {
  return checkJson(await succeed(folder, ...words, "--json"));
}

/** Parses lines of JSON on stdout; expects nothing on stderr. */
export function checkJson({ stdout, stderr }: Outcome): Record<string, unknown>[] {
  expect(stderr).toBe("");
  return parseLines(stdout);
}

/** Parses lines of JSON. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** A deterministic text with learnable structure. Its last tenth contains no new characters. */
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

/** A model so small that a step takes about a millisecond, too short for more than one thread. */
export const TINY = ["--layers", 1, "--heads", 2, "--d-model", 6, "--context-length", 13].concat([
  "--batch-size",
  3,
  "--threads",
  1,
]);

/** The arguments that train this model on a folder's text.txt, with the textbook recipe. */
export const TRAIN_AND_SAMPLE = ["train", "--data", "text.txt", "--preset", "gpt2-style", ...TINY];

/** Without the sample at each evaluation, which takes longer than a hundred steps of this model. */
export const TRAIN = [...TRAIN_AND_SAMPLE, "--no-samples"];
