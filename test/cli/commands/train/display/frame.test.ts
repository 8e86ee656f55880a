import { stripVTControlCharacters as strip } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawFrame, type View } from "../../../../../src/cli/commands/train/display/frame.ts";
import type { Point } from "../../../../../src/cli/terminal/chart.ts";
import { columnsOf } from "../../../../../src/cli/terminal/columns.ts";

const training: Point[] = Array.from({ length: 500 }, (_, i) => [i + 1, 0.6 + 3.5 / (1 + i / 20)]);
const view: View = {
  step: 500,
  steps: 2000,
  training,
  estimates: [],
  validation: [
    [250, 1],
    [500, 0.8123],
  ],
  bitsPerByte: 0.8895,
  reference: { name: "floor", value: 0.5146 },
  latest: {
    step: 500,
    lossNats: 0.7345,
    learningRate: 0.00214,
    gradientNorm: 0.5123,
    skipped: false,
    tokensPerSecond: 22_407,
    leftMs: 42_000,
  },
  elapsedMs: 100_000,
  memoryBytes: 147_300_000,
  busy: null,
  sample: { step: 400, text: "One misty Sunday\nin Ashford, Ulf the badger" },
  over: false,
};
const wide = { columns: 99, rows: 20, color: false, ascii: false };

describe("a frame", () => {
  test("shows every number, in the text and in the legend", () => {
    const text = drawFrame(view, wide).join("\n");
    for (const words of [
      "25%",
      "step 500 of 2,000",
      "42 s left",
      "22,407 tokens/s",
      "learning rate 0.00214",
      "gradient norm 0.512",
      "memory 147 MB",
      "training 0.7345",
      "● validation 0.8123",
      "┄ floor 0.5146",
      "after step 400: One misty Sunday ⏎ in Ashford, Ulf the badger",
    ])
      expect(text).toContain(words);
    const level = drawFrame(view, wide).find((line) => line.includes("┄┄┄"));
    expect(level).toMatch(/^0\.515 ┤/);
    const bar = /^(█*)(░*) {2}25%/m.exec(text);
    expect(bar?.[1].length).toBe(10);
    expect(bar?.[2].length).toBe(30);
  });

  test("shows the current activity, and at the end the total time without a sample", () => {
    expect(drawFrame({ ...view, busy: "evaluating …" }, wide).join("\n")).toMatch(
      /of 2,000 {2}evaluating …$/m,
    );
    const last = drawFrame({ ...view, over: true }, wide);
    expect(last.join("\n")).toContain("step 500 of 2,000  in 1 min 40 s");
    const whole = { ...view, step: 2000, latest: { ...view.latest!, leftMs: 0 } };
    expect(drawFrame(whole, wide).join("\n")).toMatch(/100% {2}step 2,000 of 2,000 {2}done$/m);
    expect(drawFrame({ ...whole, over: true }, wide).join("\n")).toContain("done in 1 min 40 s");
    expect(last.join("\n")).not.toContain("after step 400");
    expect([last[0], last.at(-1)]).toEqual(["", ""]);
  });

  test("shows the reference level and no figures before the first step", () => {
    const nothing = { ...view, step: 0, training: [], validation: [], latest: null, sample: null };
    const text = drawFrame(nothing, wide).join("\n");
    expect(text).toContain("step 0 of 2,000");
    expect(text).toContain("┄┄┄");
    expect(text).not.toContain("tokens/s");
  });

  test("shows everything at 40 columns", () => {
    const text = drawFrame(view, { ...wide, columns: 39 }).join("\n");
    for (const words of [
      "500/2,000",
      "42 s left",
      "22,407 tokens/s",
      "gradient norm 0.512",
      "147 MB",
      "floor 0.5146",
    ])
      expect(text).toContain(words);
  });

  test("in a low terminal drops the sample first, then the curves, then the figures", () => {
    const at = (rows: number) => drawFrame(view, { ...wide, rows }).join("\n");
    expect(at(9)).toContain("┄┄┄");
    expect(at(9)).not.toContain("after step");
    expect(at(5)).not.toContain("┄┄┄");
    expect(at(5)).toContain("tokens/s");
    expect(at(1)).toMatch(/^█+░+ {2}25%/);
    expect(at(1)).not.toContain("\n");
  });

  test("keeps its height while numbers and samples change", () => {
    const shorter = { ...view, sample: { step: 500, text: "" } };
    for (const columns of [39, 60, 99])
      expect(drawFrame(shorter, { ...wide, columns })).toHaveLength(
        drawFrame(view, { ...wide, columns }).length,
      );
  });
});

test("fits for any size, text and numbers", () => {
  const number = fc.oneof(
    fc.double({ min: 0, max: 10, noNaN: true }),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  );
  const anyView = fc.record({
    step: fc.integer({ min: 0, max: 10_000_000 }),
    steps: fc.integer({ min: 0, max: 10_000_000 }),
    loss: number,
    text: fc.string({ unit: "binary", maxLength: 200 }),
    busy: fc.option(fc.string({ unit: "grapheme", maxLength: 60 })),
    over: fc.boolean(),
  });
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 150 }),
    rows: fc.integer({ min: 1, max: 30 }),
    color: fc.boolean(),
    ascii: fc.boolean(),
  });
  fc.assert(
    fc.property(anyView, size, ({ step, steps, loss, text, busy, over }, options) => {
      const latest = {
        ...view.latest!,
        lossNats: loss,
        gradientNorm: loss,
        learningRate: loss,
        tokensPerSecond: loss,
      };
      const shown = { ...view, step, steps, latest, busy, over, sample: { step, text }, memoryBytes: loss };
      const lines = drawFrame(shown, options);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThanOrEqual(options.rows);
      for (const line of lines) {
        expect(columnsOf(strip(line))).toBeLessThanOrEqual(options.columns);
        if (!options.color) expect(line).toBe(strip(line));
      }
    }),
  );
});
