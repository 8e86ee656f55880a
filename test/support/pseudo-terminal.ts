/** Runs programs in a pseudo-terminal with util-linux's `script`. Without it, the tests are skipped. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { shellWord } from "../../src/util/format.ts";
import { Emulator } from "./emulator.ts";
import { MAIN } from "./program.ts";

const found = spawnSync("script", ["--version"], { encoding: "utf8" });
export const HAS_TERMINALS = found.stdout?.includes("util-linux") === true;
if (!HAS_TERMINALS) console.warn("skipped: tests in a real terminal need util-linux's script");

export class TerminalProgram {
  readonly screen: Emulator;
  readonly #process: ChildProcess;
  readonly code: Promise<number | null>;

  constructor(
    folder: string,
    words: readonly (string | number)[],
    {
      env = {},
      columns = 80,
      rows = 24,
      codeFile,
    }: { env?: Record<string, string>; columns?: number; rows?: number; codeFile?: string } = {},
  ) {
    this.screen = new Emulator(columns, rows);
    const command = [process.execPath, MAIN, ...words.map(String)].map(shellWord).join(" ");
    // A shell that outlives the terminal can note the exit code.
    const run = codeFile === undefined ? `exec ${command}` : `trap '' HUP; ${command}; echo $? > ${codeFile}`;
    const child = spawn(
      "script",
      ["-qefc", `stty cols ${columns} rows ${rows}; ulimit -c 0; ${run}`, "/dev/null"],
      {
        cwd: folder,
        stdio: ["pipe", "pipe", "ignore"],
        // The environment of the tests may have its own color settings.
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          TERM: "xterm-256color",
          LANG: "C.UTF-8",
          ...env,
        },
      },
    );
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.screen.write(text));
    this.#process = child;
    this.code = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
  }

  type(keys: string): void {
    this.#process.stdin?.write(keys);
  }

  /** Closes the terminal, as closing its window does. */
  close(): void {
    this.#process.kill("SIGKILL");
  }

  async shows(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.screen.bytes)) {
      if (this.#process.exitCode !== null)
        throw new Error(`the program ended before it showed ${pattern}: ${this.screen.bytes}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
