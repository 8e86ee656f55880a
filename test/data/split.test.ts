import { describe, expect, it } from "vitest";
import { checkSplit, documentBoundary, splitCorpus } from "../../src/data/split.ts";
import { DataError } from "../../src/errors.ts";
import { messageOfA } from "../support/errors.ts";

const messageOf = messageOfA(DataError);

describe("splitCorpus", () => {
  it("uses the first nine tenths for training and the rest for validation", () => {
    const ids = Int32Array.from({ length: 47 }, (_, i) => i);
    const { train, validation, boundary } = splitCorpus(ids);
    expect(boundary).toBe(42);
    expect(Array.from(train)).toEqual(Array.from(ids.slice(0, 42)));
    expect(Array.from(validation)).toEqual([42, 43, 44, 45, 46]);
  });

  it("rounds down exactly, without floating-point error", () => {
    for (let length = 1; length < 2000; length++) {
      const { boundary } = splitCorpus(new Int32Array(length));
      expect(boundary * 10 <= length * 9 && (boundary + 1) * 10 > length * 9).toBe(true);
    }
  });

  it("rejects an empty corpus", () => {
    expect(messageOf(() => splitCorpus(new Int32Array(0)))).toContain("is empty");
  });
});

describe("checkSplit", () => {
  it("requires a window and one more token in each split, and reports sizes that fit", () => {
    for (const contextLength of [1, 2, 3, 7, 64]) {
      const enough = 10 * contextLength + 1;
      expect(() => checkSplit(splitCorpus(new Int32Array(enough)), contextLength)).not.toThrow();
      const message = messageOf(() => checkSplit(splitCorpus(new Int32Array(enough - 1)), contextLength));
      expect(message).toContain(`at least ${enough} tokens`);
      expect(message).toContain(`validation ${contextLength}, and each needs ${contextLength + 1}`);
    }
  });

  it("reports the longest context that fits", () => {
    for (let length = 1; length < 100; length++) {
      const split = splitCorpus(new Int32Array(length));
      const longest = /contextLength of at most (\d+)/.exec(messageOf(() => checkSplit(split, 97)))?.[1];
      expect(longest === undefined).toBe(length < 11);
      if (longest === undefined) continue;
      expect(() => checkSplit(split, Number(longest))).not.toThrow();
      expect(() => checkSplit(split, Number(longest) + 1)).toThrow(DataError);
    }
  });
});

describe("documentBoundary", () => {
  const END = 9;
  const idsOf = (...lengths: number[]) =>
    Int32Array.from(lengths.flatMap((length) => [...new Array(length - 1).fill(1), END]));

  it("without documents is floor(0.9·N)", () => {
    for (const length of [1, 10, 47, 1999])
      expect(documentBoundary(new Int32Array(length), null)).toBe(
        splitCorpus(new Int32Array(length)).boundary,
      );
  });

  it.each([
    ["the first start of a document from there on", [50, 39, 4, 7], 93],
    ["exactly there", [50, 40, 10], 90],
    ["the start of the last document if it is longer than a tenth", [50, 30, 20], 80],
    ["far into the rest of a long document", [10, 940_000, 60_000], 940_010],
    ["the start of a last document that is most of the text", [7, 300_000], 7],
  ])("is %s", (_what, lengths, boundary) => {
    const ids = idsOf(...lengths);
    expect(documentBoundary(ids, END)).toBe(boundary);
    expect(splitCorpus(ids, boundary)).toMatchObject({ boundary });
    expect(ids[boundary - 1]).toBe(END);
  });

  it("of a single document cuts it", () => {
    expect(documentBoundary(idsOf(100), END)).toBe(90);
    expect(documentBoundary(idsOf(1), END)).toBe(0);
  });
});
