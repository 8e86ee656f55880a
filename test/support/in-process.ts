/**
 * The program, run inside the test's own process: a hundred runs in a few seconds. For runs that end by themselves
 * and start no threads; what only a process of its own shows is tested with one (program.ts).
 */
import { vi } from "vitest";
import type { Outcome } from "./program.ts";

class Exit extends Error {}

let runs = 0;

/** Runs `nopeek` with these words to its end, as `nopeek` of program.ts does. */
export async function nopeekHere(folder: string, ...words: readonly (string | number)[]): Promise<Outcome> {
  const told = { stdout: "", stderr: "" };
  const exits: number[] = [];
  const hear = (stream: "stdout" | "stderr") => (text: string | Uint8Array) => {
    // A process that has left tells nothing more.
    if (exits.length === 0) told[stream] += typeof text === "string" ? text : Buffer.from(text).toString();
    return true;
  };
  const before = process.listeners("exit");
  const { argv } = process;
  const cwd = process.cwd();
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(hear("stdout")),
    vi.spyOn(process.stderr, "write").mockImplementation(hear("stderr")),
    // Each run listens for readers that are gone, and would never stop.
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
    // Another name each time: a module of one name is run once.
    const main = new URL(`../../src/cli/main.ts?run=${runs++}`, import.meta.url);
    await import(/* @vite-ignore */ main.href);
    return { ...told, code: exits[0] ?? Number(process.exitCode ?? 0), signal: null };
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
