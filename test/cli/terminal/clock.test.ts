/** With clocks that run backward, jump or stop, printed and logged times stay positive and finite. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nowMs } from "../../../src/cli/terminal/clock.ts";
import { nopeekHere } from "../../support/in-process.ts";
import { makeFolderWithText, parseLines, TRAIN_AND_SAMPLE } from "../../support/program.ts";
import { logOf } from "../../support/run-files.ts";

const { folder } = makeFolderWithText(200);
afterEach(() => vi.restoreAllMocks());

/** Maps the number of earlier readings to the time of a broken clock. */
const CLOCKS: Readonly<Record<string, (reading: number) => number>> = {
  "that runs backward": (reading) => 1e6 - 7 * reading,
  "that has stopped": () => 1e6,
  "that jumps back and forth": (reading) => 1e6 + 3_600_000 * (reading % 2 === 0 ? 1 : -1) + reading,
};

function setClock(clock: (reading: number) => number): void {
  let readings = 0;
  const read = () => clock(readings++);
  vi.spyOn(performance, "now").mockImplementation(read);
  vi.spyOn(Date, "now").mockImplementation(read);
}

describe.each(Object.entries(CLOCKS))("with a clock %s", (name, clock) => {
  it("time still moves forward", () => {
    setClock(clock);
    const readings = Array.from({ length: 9 }, nowMs);
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
    expect(new Set(readings).size).toBe(9);
  });

  it("speed, remaining time and logged times are never negative or NaN", async () => {
    setClock(clock);
    const run = `run ${name}`;
    const words = [...TRAIN_AND_SAMPLE, "--out", run, "--steps", 12, "--eval-interval", 5];
    const trained = await nopeekHere(folder, ...words, "--eval-batches", 1, "--checkpoint-interval", 4);
    const sampled = await nopeekHere(folder, "sample", "--model", run, "--tokens", 5);
    for (const { code, stderr } of [trained, sampled]) {
      expect(code, stderr).toBe(0);
      expect(stderr).not.toMatch(/NaN|Infinity|∞|(^|\s)-\d/m);
    }
    expect(trained.stderr).toMatch(/[\d,]+ tokens\/s/);
    const log = logOf(join(folder, run));
    const steps = log.filter(({ kind }) => kind === "step");
    expect(steps).toHaveLength(12);
    for (const { elapsedMs } of steps) expect(elapsedMs).toBeGreaterThan(0);
    const listed = await nopeekHere(folder, "runs", run, "--json");
    expect(parseLines(listed.stdout)[0].trainedMs).toBeGreaterThan(0);
  });
});

it("no other module reads the clock", () => {
  const sources = new URL("../../../src/", import.meta.url);
  const readers = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .filter((path) => /\bperformance\.now\(/.test(readFileSync(new URL(path, sources), "utf8")));
  // The page's engine is another program, in a browser.
  expect(readers.sort()).toEqual(["cli/terminal/clock.ts", "play/engine/main.ts"]);
});
