import { describe, expect, it } from "vitest";
import { reportCorpus } from "../../src/data/corpus-report.ts";
import { factsOf } from "../support/text-oracle.ts";

describe("reportCorpus", () => {
  it("counts characters, not UTF-16 units, and finds the rarest", () => {
    const report = reportCorpus(factsOf("aaa😀😀bbb\nc\n"));
    expect(report).toEqual({
      characters: 11,
      distinct: 5,
      documents: 0,
      rarest: [
        { character: "c", count: 1 },
        { character: "\n", count: 2 },
        { character: "😀", count: 2 },
        { character: "a", count: 3 },
        { character: "b", count: 3 },
      ],
      warnings: [],
    });
  });

  it.each([
    ["mixed line endings", "one\r\ntwo\nthree\r\n", "2 CR LF, 1 LF, 0 CR"],
    ["a lone CR", "one\rtwo\n", "0 CR LF, 1 LF, 1 CR"],
    ["control characters", "a\x07b\0\x07\n", "U+0007 2×, U+0000 1×"],
    ["replacement characters", "caf\uFFFD\n", "U+FFFD 1×"],
    ["one giant line", "word ".repeat(2001), "one giant line"],
  ])("warns about %s", (_, text, words) => {
    const { warnings } = reportCorpus(factsOf(text));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(words);
  });

  it.each([
    ["LF alone", "one\ntwo\n"],
    ["CR LF alone", "one\r\ntwo\r\n"],
    ["tabs", "one\ttwo\n"],
    ["long lines among many", `${"word ".repeat(2001)}\n${"line\n".repeat(3000)}`],
  ])("does not warn about %s", (_, text) => {
    expect(reportCorpus(factsOf(text)).warnings).toEqual([]);
  });
});
