/** Chats with the built program, on a pipe and in a terminal. */
import { spawn } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import { MAIN, makeFolderWithText, START_MS, TRAIN } from "../../../support/program.ts";
import { HAS_TERMINALS, TerminalProgram } from "../../../support/pseudo-terminal.ts";

const { folder } = makeFolderWithText(400);

beforeAll(async () => {
  // A model that has learned the text: its first characters hold no line feed, which ends an answer here.
  const flags = ["--steps", 60, "--learning-rate", 0.02, "--warmup-steps", 2, "--eval-batches", 1];
  const { code, stderr } = await nopeekHere(folder, ...TRAIN, "--out", "run", ...flags);
  expect(code, stderr).toBe(0);
}, START_MS);

it("reads prompts from a pipe, and answers each before the next one comes", async () => {
  const child = spawn(process.execPath, [MAIN, "chat", "run", "--tokens", "5"], { cwd: folder });
  let shown = "";
  const answer = async (line: string) => {
    const before = shown.length;
    child.stdin.write(`${line}\n`);
    while (!shown.endsWith("\n") || shown.length === before) {
      const [piece] = await new Promise<string[]>((resolve) =>
        child.stdout.once("data", (bytes) => resolve([String(bytes)])),
      );
      shown += piece;
    }
    return shown.slice(before);
  };
  expect(await answer("the fox")).toMatch(/^the fox.{5}\n$/s);
  expect(await answer("/temperature 0\na red")).toMatch(/^a red.{5}\n$/s);
  child.stdin.end();
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
});

describe.skipIf(!HAS_TERMINALS)("in a terminal", () => {
  it("has history, interrupts a continuation, and leaves with Ctrl-D", async () => {
    const program = new TerminalProgram(folder, ["chat", "run", "--tokens", 1_000_000]);
    await program.shows(/\/help lists the commands[\s\S]*> /);
    program.type("the fox\r");
    await program.shows(/the fox[\s\S]*\n[\s\S]{40}/);
    program.type("\u0003");
    await program.shows(/\n[^\n]*> [^>]*$/);
    program.type("/tokens 3\r");
    await program.shows(/\/tokens 3[\s\S]*\/tokens 3/);
    program.type("/settings\r");
    await program.shows(/\/seed 1337/);
    // Up twice: the line before the last one.
    program.type("\u001b[A\u001b[A\r");
    await program.shows(/\/seed 1337[\s\S]*\/tokens 3[\s\S]*\/tokens 3/);
    program.type("\u0004");
    expect(await program.code).toBe(0);
  });
});
