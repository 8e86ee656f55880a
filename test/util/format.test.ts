import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fitLine,
  fitMessage,
  formatCount,
  formatDuration,
  formatLoss,
  formatRatio,
  median,
  plural,
  shellWord,
} from "../../src/util/format.ts";

describe("format", () => {
  it.each([
    [0, "0 ms"],
    [0.4, "0 ms"],
    [849.6, "850 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [1000, "1 s"],
    [59_499, "59 s"],
    [59_500, "1 min 0 s"],
    [200_000, "3 min 20 s"],
    [3_599_600, "1 h 0 min"],
    [7_500_000, "2 h 5 min"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0.0834, "0.083"],
    [2.314, "2.3"],
    [189.6, "190"],
    [12_345.6, "12,346"],
  ])("a ratio of %d is %s, without an exponent", (ratio, text) => {
    expect(formatRatio(ratio)).toBe(text);
  });

  it("counts are integers with commas; losses have four decimals", () => {
    expect([0, 999, 1000, 1115394, 12.6].map(formatCount)).toEqual(["0", "999", "1,000", "1,115,394", "13"]);
    expect([0, 1.23456, 10].map(formatLoss)).toEqual(["0.0000", "1.2346", "10.0000"]);
    expect([0, 1, 2, 1234].map((count) => plural(count, "step"))).toEqual([
      "0 steps",
      "1 step",
      "2 steps",
      "1,234 steps",
    ]);
  });

  it("the median does not depend on the order, and does not change its input", () => {
    expect(median([3, 1, 10])).toBe(3);
    expect(median([10, 2, 4, 3])).toBe(3.5);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 }), (numbers) => {
        const copy = [...numbers];
        const middle = median(numbers);
        expect(numbers).toEqual(copy);
        expect(numbers.filter((each) => each < middle).length * 2).toBeLessThanOrEqual(numbers.length);
        expect(numbers.filter((each) => each > middle).length * 2).toBeLessThanOrEqual(numbers.length);
      }),
    );
  });

  it("a shell reads a quoted word unchanged", () => {
    expect(shellWord("checkpoints/tales-1")).toBe("checkpoints/tales-1");
    const words = ["a b", "it's", "$HOME", "a;b", 'say "no"', "*", "back\\slash", "", "größe", "plain"];
    const line = `printf '%s\\n' ${words.map(shellWord).join(" ")}`;
    expect(execFileSync("sh", ["-c", line], { encoding: "utf8" })).toBe(`${words.join("\n")}\n`);
  });
});

describe("a message", () => {
  const message =
    "nopeek: text.txt: is too short; use a longer text\ngo on with npx nopeek train --resume --out run\n  indented, long, and whole\n";

  it("wraps between words in a narrow terminal, except for lines to copy", () => {
    expect(fitMessage(message, 20)).toBe(
      "nopeek: text.txt: is\ntoo short; use a\nlonger text\ngo on with npx nopeek train --resume --out run\n  indented, long, and whole\n",
    );
  });

  it("is unchanged if it fits, or if there is no terminal", () => {
    expect(fitMessage(message, 80)).toBe(message);
    expect(fitMessage(message, undefined)).toBe(message);
    // A terminal may not know its width.
    expect(fitMessage(message, 0)).toBe(message);
    expect(fitLine(message, 0)).toBe(message);
  });
});

describe("a line for a terminal", () => {
  it("continues in its column, next to its label", () => {
    expect(fitLine("split       900 tokens to learn from, 100 held out", 32)).toBe(
      "split       900 tokens to learn\n            from, 100 held out",
    );
    expect(fitLine("            2.3 tokens to learn from, for each", 32)).toBe(
      "            2.3 tokens to learn\n            from, for each",
    );
    expect(fitLine("loss and the entropy floor    0.6166 nats, floor 0.5146         ok", 50)).toBe(
      "loss and the entropy floor    0.6166 nats, floor\n0.5146         ok",
    );
  });

  it("without a label wraps between words, except for lines to copy", () => {
    expect(fitLine("validation loss 1.25 nats (each once)", 20)).toBe(
      "validation loss 1.25\nnats (each once)",
    );
    for (const line of ["  npx nopeek eval --model run", "get one: npx nopeek data tinyshakespeare"])
      expect(fitLine(line, 20)).toBe(line);
    expect(fitLine("validation loss 1.25 nats", undefined)).toBe("validation loss 1.25 nats");
  });
});
