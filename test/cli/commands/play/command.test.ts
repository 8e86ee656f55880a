/** The program `nopeek play`: what it prints and serves, when it opens a browser, and how it ends. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ASSETS } from "../../../../src/play/assets.ts";
import { expectComplaint, makeFolder, nopeek, type Program, start } from "../../../support/program.ts";
import { HAS_TERMINALS, TerminalProgram } from "../../../support/pseudo-terminal.ts";

const folder = makeFolder();
const PROMPT_MS = 30_000;

/** Waits for the address that the program prints. */
async function addressOf(program: Program): Promise<string> {
  let printed = "";
  program.process.stdout?.on("data", (text: string) => {
    printed += text;
  });
  await program.shows(/\n/, "stdout");
  return printed.trim();
}

test("it serves every file of the page, and Ctrl-C ends it, connections included", async () => {
  const program = start(folder, "play", "--port", 0);
  const address = await addressOf(program);
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  for (const { path, type } of ASSETS) {
    const reply = await fetch(new URL(path, address));
    expect([path, reply.status, reply.headers.get("content-type")]).toEqual([path, 200, type]);
    expect((await reply.arrayBuffer()).byteLength, path).toBeGreaterThan(0);
  }
  program.process.kill("SIGINT");
  const { code, stdout, stderr } = await program.outcome;
  expect(code).toBe(130);
  expect(stdout).toBe(`${address}\n`);
  expect(stderr).toContain("Only this machine can open the page");
  await expect(fetch(address)).rejects.toThrow();
});

test.each([
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s ends it with %i", async (signal, code) => {
  const program = start(folder, "play", "--port", 0, "--json");
  const { address, port } = JSON.parse(await addressOf(program));
  expect(address).toBe(`http://127.0.0.1:${port}/`);
  program.process.kill(signal);
  expect((await program.outcome).code).toBe(code);
});

test("a second one says that it uses another port; a port by name must be free", async () => {
  const [first, second] = [start(folder, "play"), start(folder, "play")];
  const addresses = [await addressOf(first), await addressOf(second)];
  expect(new Set(addresses).size).toBe(2);
  const port = new URL(addresses[0]).port;
  expectComplaint(await nopeek(folder, "play", "--port", port), 1, `--port ${port}`, "leave out --port");
  for (const program of [first, second]) program.process.kill("SIGINT");
  const said = [(await first.outcome).stderr, (await second.outcome).stderr].join("");
  expect(said).toMatch(/port 6673 is in use, perhaps by another nopeek play; this one uses port \d+/);
});

test.each([
  ["70000", "a whole number from 0 to 65535"],
  ["-1", "a whole number from 0 to 65535"],
  ["80.5", "a whole number from 0 to 65535"],
  ["http", "It must be a number"],
  ["6000", "browsers refuse to open this port"],
])("--port %s is refused", async (port, words) => {
  expectComplaint(await nopeek(folder, "play", "--port", port), 2, words);
});

describe.skipIf(!HAS_TERMINALS)("in a terminal", () => {
  const opened = join(folder, "opened");
  const tools = join(folder, "tools");
  mkdirSync(tools);
  // The shell that starts the program needs its tools too.
  const env = { DISPLAY: ":97", PATH: `${tools}:${process.env.PATH}` };

  function installOpener(body: string): void {
    writeFileSync(join(tools, "xdg-open"), `#!/bin/sh\n${body}\n`);
    chmodSync(join(tools, "xdg-open"), 0o755);
  }

  test("it opens a browser at its address, and the key Ctrl-C ends it", async () => {
    installOpener(`printf %s "$1" > ${opened}.part; mv ${opened}.part ${opened}`);
    const program = new TerminalProgram(folder, ["play", "--port", 0], { env });
    await vi.waitFor(() => expect(existsSync(opened)).toBe(true), PROMPT_MS);
    // The opener may be faster than the terminal.
    const address = readFileSync(opened, "utf8");
    await vi.waitFor(() => expect(program.screen.bytes).toContain(address), PROMPT_MS);
    program.type("\x03");
    expect(await program.code).toBe(130);
    expect(program.screen.bytes).not.toContain("no browser");
  });

  test("a browser that does not open is a remark", async () => {
    installOpener("exit 4");
    const program = new TerminalProgram(folder, ["play", "--port", 0], { env, columns: 200 });
    await program.shows(/no browser opened \(xdg-open ended with 4\); open the address yourself/);
    program.type("\x03");
    expect(await program.code).toBe(130);
  });

  test.each([
    ["--no-open", ["--no-open"], {}],
    ["CI", [], { CI: "true" }],
    ["no screen", [], { DISPLAY: "" }],
  ])("it opens none with %s", async (_what, words, more) => {
    installOpener("exit 4");
    const program = new TerminalProgram(folder, ["play", "--port", 0, ...words], {
      env: { ...env, ...more },
      columns: 200,
    });
    await program.shows(/Ctrl-C ends it/);
    // Time for the opener to fail, if it was started.
    await new Promise((resolve) => setTimeout(resolve, 300));
    program.type("\x03");
    expect(await program.code).toBe(130);
    expect(program.screen.bytes).not.toContain("no browser");
  });
});
