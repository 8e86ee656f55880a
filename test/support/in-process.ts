/**
 * Runs the program inside the test's process: a hundred runs take a few seconds. Only for runs that end by themselves
 * and start no threads; anything that needs a separate process uses program.ts.
 */
import { vi } from "vitest";
import { checkJson, checkSuccess, type Outcome } from "./program.ts";

class Exit extends Error {}

let runs = 0;

/** Runs `nopeek` with these arguments until it exits, like `nopeek` in program.ts. */
export async function nopeekHere(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  const output = { stdout: "", stderr: "" };
  const exits: number[] = [];
  const capture = (stream: "stdout" | "stderr") => (text: string | Uint8Array) => {
    // A process that has exited prints nothing more.
    if (exits.length === 0) output[stream] += typeof text === "string" ? text : Buffer.from(text).toString();
    return true;
  };
  const before = process.listeners("exit");
  const { argv } = process;
  const cwd = process.cwd();
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(capture("stdout")),
    vi.spyOn(process.stderr, "write").mockImplementation(capture("stderr")),
    // Each run would add listeners for closed pipes and never remove them.
    vi.spyOn(process.stdout, "on").mockReturnValue(process.stdout),
    vi.spyOn(process.stderr, "on").mockReturnValue(process.stderr),
    vi.spyOn(process, "exit").mockImplementation((code) => {
      exits.push(Number(code ?? 0));
      throw new Exit();
    }),
  ];
  try {
    process.chdir(folder);
    process.argv = [process.execPath, "nopeek", ...words.map(String)];
    process.exitCode = undefined;
    // A different URL each time, because a module runs only once per URL.
    const main = new URL(`../../src/cli/main.ts?run=${runs++}`, import.meta.url);
    await import(/* @vite-ignore */ main.href);
    return { ...output, code: exits[0] ?? Number(process.exitCode ?? 0), signal: null };
  } finally {
    for (const atExit of process.listeners("exit")) {
      if (before.includes(atExit)) continue;
      atExit.call(process, 0);
      process.off("exit", atExit);
    }
    for (const spy of spies) spy.mockRestore();
    process.chdir(cwd);
    process.argv = argv;
    process.exitCode = undefined;
  }
}

/** Like `nopeekHere`, and fails unless the exit code is 0. */
export async function succeedHere(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  return checkSuccess(words, await nopeekHere(folder, ...words));
}

/** Like `succeedHere` with --json: returns the lines of JSON; expects nothing on stderr. */
export async function succeedInJsonHere(
  folder: string,
  ...words: readonly (string | number)[]
): Promise<Record<string, unknown>[]> {
  return checkJson(await succeedHere(folder, ...words, "--json"));
}
