/** The live display in a terminal emulator: messages stay and redrawing leaves no remains, resized or not. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { LiveProgress } from "../../../../../src/cli/commands/train/display/live-progress.ts";
import { Emulator } from "../../../../support/emulator.ts";

const STEPS = 400;

function open(screen: Emulator, changes = {}) {
  let ms = 0;
  const progress = new LiveProgress({
    screen,
    color: true,
    ascii: false,
    sinks: true,
    steps: STEPS,
    reference: { name: "floor", value: 0.5146 },
    bitsPerByte: (lossNats) => lossNats / 2,
    before: { training: [], validation: [], estimates: [] },
    now: () => ms,
    memoryBytes: () => 1e8,
    ...changes,
  });
  /** Makes a step that takes a second. */
  const step = async (number: number) => {
    ms += 1000;
    progress.stepped({
      step: number,
      lossNats: 0.6 + 3 / number,
      learningRate: 0.001,
      gradientNorm: 1,
      skipped: false,
      tokensPerSecond: 1000,
      leftMs: 1000 * (STEPS - number),
    });
    await nextTurn();
  };
  return { progress, step };
}

/** Finds the displays on the screen: how many there are, and that each is complete. */
const barsOf = (lines: readonly string[]) => lines.filter((line) => /[█░]{6}| % {2}/.test(line)).length;
const axesOf = (lines: readonly string[]) => lines.filter((line) => /┤┄|┤.*┄┄/.test(line)).length;
const saidOf = (lines: readonly string[]) => lines.filter((line) => line.startsWith("step "));

describe("in a terminal", () => {
  test("messages stay in order above a single display, however many there are", async () => {
    const screen = new Emulator(80, 24);
    const { progress, step } = open(screen);
    progress.note("said before");
    progress.begin();
    for (let i = 1; i <= 60; i++) {
      await step(i);
      progress.note(`step ${i}: said`);
      if (i % 10 === 0)
        progress.note(`a line that is much longer than the terminal is wide: ${"x".repeat(60)} end ${i}`);
    }
    const text = await screen.text();
    expect(text[0]).toBe("said before");
    expect(saidOf(text)).toEqual(Array.from({ length: 60 }, (_, i) => `step ${i + 1}: said`));
    expect(text.filter((line) => /x{60} end \d+$/.test(line))).toHaveLength(6);
    expect([barsOf(text), axesOf(text)]).toEqual([1, 1]);
    expect(text.join("\n")).toContain("step 60 of 400");
    expect(screen.showsCursor).toBe(false);
  });

  test("at the end the display stays complete, the cursor is back, and later lines are below", async () => {
    const screen = new Emulator(80, 24);
    const { progress, step } = open(screen);
    progress.begin();
    await step(7);
    progress.sampled(7, "a sample");
    expect((await screen.screen()).join("\n")).toContain("after step 7: a sample");
    progress.end();
    progress.end();
    progress.note("said after");
    await step(8);
    const text = await screen.text();
    expect(text.at(-1)).toBe("said after");
    expect(text.at(-2)).toBe("");
    expect([barsOf(text), axesOf(text)]).toEqual([1, 1]);
    expect(text.join("\n")).not.toContain("a sample");
    expect(screen.showsCursor).toBe(true);
    expect(screen.listeners).toBe(0);
  });

  test("a suspended program releases the terminal, and later draws below the output of others", async () => {
    const screen = new Emulator(80, 24);
    const { progress, step } = open(screen);
    progress.begin();
    await step(1);
    progress.pause();
    expect(screen.showsCursor).toBe(true);
    screen.write("$ fg\n");
    progress.resume();
    const text = await screen.text();
    expect(text.indexOf("$ fg")).toBeGreaterThan(5);
    expect(barsOf(text)).toBe(2);
    expect(screen.showsCursor).toBe(false);
    progress.end();
    progress.resume();
    expect(screen.showsCursor).toBe(true);
  });

  test("a resumed run shows its earlier losses", async () => {
    const screen = new Emulator(80, 24);
    const before = {
      training: [[1, 4] as const, [200, 1] as const],
      validation: [[200, 1.25] as const],
      estimates: [[100, 2] as const],
    };
    const { progress } = open(screen, { before });
    progress.begin();
    const text = (await screen.text()).join("\n");
    expect(text).toContain("step 200 of 400");
    expect(text).toContain("validation 1.2500");
    expect(text).toContain("· estimated");
  });
});

describe("a terminal that is resized", () => {
  test.each([
    ["wider", [[120, 24]]],
    ["narrower", [[60, 24]]],
    ["narrower, step by step", [78, 74, 70, 60, 55, 48, 40].map((columns) => [columns, 24])],
    ["lower", [[80, 14]]],
    ["higher", [[80, 50]]],
  ] as const)("%s: one picture in view, that fits, and every line that was said", async (_, sizes) => {
    const screen = new Emulator(80, 24);
    const { progress, step } = open(screen);
    for (let i = 1; i <= 20; i++) progress.note(`step ${i}: said`);
    progress.begin();
    let said = 20;
    for (const [columns, rows] of sizes) {
      await step(said);
      await screen.resize(columns, rows);
      const view = await screen.screen();
      expect(barsOf(view), view.join("\n")).toBe(1);
      expect(axesOf(view), view.join("\n")).toBeLessThanOrEqual(1);
      expect(view.at(-1)).not.toContain("said");
      said += 1;
      progress.note(`step ${said}: said`);
    }
    progress.end();
    const text = await screen.text();
    expect(saidOf(text)).toEqual(Array.from({ length: said }, (_, i) => `step ${i + 1}: said`));
  });

  test("in all ways at once keeps the messages, and the last display is complete", async () => {
    const screen = new Emulator(80, 24);
    const { progress, step } = open(screen);
    for (let i = 1; i <= 20; i++) progress.note(`step ${i}: said`);
    progress.begin();
    let said = 20;
    for (const columns of [100, 70, 40, 90, 50, 30, 120, 80]) {
      for (const rows of [30, 12, 40, 8, 24]) {
        await step(said);
        await screen.resize(columns, rows);
        said += 1;
        progress.note(`step ${said}: said`);
      }
    }
    progress.end();
    const text = await screen.text();
    expect(saidOf(text)).toEqual(Array.from({ length: said }, (_, i) => `step ${i + 1}: said`));
    const last = text.slice(text.lastIndexOf(`step ${said}: said`));
    expect([barsOf(last), axesOf(last)]).toEqual([1, 1]);
  });
});
