/** The built program in a real terminal. Skipped if the system cannot create one. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolderWithText, succeed, TRAIN_AND_SAMPLE } from "../../../../support/program.ts";
import { HAS_TERMINALS, TerminalProgram } from "../../../../support/pseudo-terminal.ts";

const { folder } = makeFolderWithText(200);
const training = [...TRAIN_AND_SAMPLE, "--dropout", 0.1, "--eval-batches", 1];
const train = (out: string, ...words: readonly (string | number)[]) => [...training, "--out", out, ...words];
const SHORT = ["--steps", 60, "--eval-interval", 20];
/** The escape sequence of a color. */
const COLOR = "\x1b[36m";
const CTRL_C = "\x03";
const CTRL_BACKSLASH = "\x1c";

describe.skipIf(!HAS_TERMINALS)("in a terminal", () => {
  test("it shows a live display, and trains the same weights as without one", async () => {
    const program = new TerminalProgram(folder, train("watched", ...SHORT));
    expect(await program.code).toBe(0);
    const text = (await program.screen.text()).join("\n");
    expect(program.screen.bytes).toContain(COLOR);
    expect(text.match(/100% {2}step 60 of 60 {2}done in /g)).toHaveLength(1);
    expect(text).toContain("┄ blind guess 3.");
    expect(text).toMatch(/^step 20: validation loss about/m);
    expect(program.screen.bytes).toContain("after step 20: ");
    expect(program.screen.showsCursor).toBe(true);
    const plain = await succeed(folder, ...train("alone", ...SHORT));
    expect(plain.stderr.match(/^step \d+\/60 {2}loss/gm)).toHaveLength(30);
    expect(plain.stderr).not.toContain("\x1b");
    const [watched, alone] = ["watched", "alone"].map((name) =>
      readFileSync(join(folder, name, "step-000060/model.safetensors")),
    );
    expect(watched.equals(alone)).toBe(true);
  });

  test("--quiet, a dumb terminal and one of a build server get plain lines", async () => {
    for (const [out, words, env] of [
      ["quiet", ["--quiet"], {}],
      ["dumb", [], { TERM: "dumb" }],
      ["ci", [], { CI: "true" }],
    ] as const) {
      const program = new TerminalProgram(folder, train(out, ...SHORT, ...words), { env });
      expect(await program.code).toBe(0);
      expect(program.screen.bytes).not.toContain("\x1b");
      expect(program.screen.bytes.match(/^step \d+\/60 {2}loss/gm)).toHaveLength(30);
    }
  });

  test("NO_COLOR and --no-color are honored, and the display remains", async () => {
    for (const [out, words, env] of [
      ["grey", [], { NO_COLOR: "1" }],
      ["grey-too", ["--no-color"], {}],
    ] as const) {
      const program = new TerminalProgram(folder, train(out, ...SHORT, ...words), { env });
      expect(await program.code).toBe(0);
      expect(program.screen.bytes).not.toContain(COLOR);
      expect(program.screen.bytes).toContain("100%");
    }
  });

  test("JSON on the same terminal is not overdrawn", async () => {
    const program = new TerminalProgram(folder, train("json", ...SHORT, "--json"));
    expect(await program.code).toBe(0);
    expect(program.screen.bytes).not.toContain("\x1b");
  });

  test("Ctrl-C saves, prints the resume command, and restores the terminal", async () => {
    const program = new TerminalProgram(folder, train("stopped", "--steps", 100_000), { columns: 40 });
    await program.shows(/step \d+|\d+ %/);
    program.type(CTRL_C);
    expect(await program.code).toBe(130);
    const text = await program.screen.text();
    expect(text.at(-1)).toBe("  npx nopeek train --resume --out stopped");
    expect(text.filter((line) => line.includes(" in "))).not.toHaveLength(0);
    expect(program.screen.showsCursor).toBe(true);
  });

  test("Ctrl-\\ ends the program as usual, and the cursor is visible", async () => {
    const program = new TerminalProgram(folder, train("quit", "--steps", 100_000));
    await program.shows(/step \d+|\d+ %/);
    program.type(CTRL_BACKSLASH);
    // By the convention of shells: 128 plus 3 for SIGQUIT.
    expect(await program.code).toBe(131);
    expect(program.screen.showsCursor).toBe(true);
  });

  test("closing the terminal saves, and ends the program by its signal without a crash", async () => {
    const codeFile = join(folder, "code");
    const program = new TerminalProgram(folder, train("closed", "--steps", 100_000), { codeFile });
    await program.shows(/step \d+|\d+ %/);
    program.close();
    while (!existsSync(codeFile) || readFileSync(codeFile, "utf8") === "")
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(readFileSync(codeFile, "utf8")).toBe("129\n");
    expect(readFileSync(join(folder, "closed", "latest"), "utf8")).toMatch(/^step-/);
    expect(readdirSync(join(folder, "closed")).filter((name) => name.startsWith(".lock"))).toEqual([]);
  });
});
