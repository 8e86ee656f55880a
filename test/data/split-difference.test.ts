import { describe, expect, it } from "vitest";
import { splitDifference } from "../../src/data/split-difference.ts";
import { Random } from "../../src/random.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

const BEGINNINGS = [
  "an",
  "be",
  "ca",
  "do",
  "el",
  "fa",
  "ga",
  "hu",
  "iv",
  "jo",
  "ka",
  "li",
  "mo",
  "ni",
  "ol",
  "pe",
  "zo",
];
const ENDINGS = ["na", "lla", "rry", "tte", "s", "mie", "vin", "xa"];

function namesOf(seed: number, count: number): string[] {
  const random = Random.of(seed, "names");
  const pick = (parts: readonly string[]) => parts[random.below(parts.length)];
  return Array.from({ length: count }, () => pick(BEGINNINGS) + pick(ENDINGS) + pick(ENDINGS));
}

function differenceOf(text: string) {
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  return splitDifference(ids, Math.floor(0.9 * ids.length), tokenizer.vocabSize);
}

describe("splitDifference", () => {
  it("finds that the end of a sorted list is unlike the rest", () => {
    for (const count of [500, 3000]) {
      const found = differenceOf(namesOf(1, count).sort().join("\n"));
      expect(found?.validationNats).toBeGreaterThan(1.1 * (found?.trainingNats ?? 9));
    }
  });

  it("almost never finds a difference between parts that are alike", () => {
    const wrong = Array.from({ length: 200 }, (_, seed) => differenceOf(namesOf(seed, 400).join("\n")));
    expect(wrong.filter((found) => found !== null).length).toBeLessThanOrEqual(2);
  });

  it("does not mind a validation part that is easier", () => {
    const mixed = namesOf(1, 300).map((name) => `${name}${"ab".repeat(20)}`);
    expect(differenceOf(mixed.join("") + "ab".repeat(700))).toBeNull();
  });

  it("says nothing about a text too short to know, or of one token", () => {
    expect(differenceOf(namesOf(1, 30).sort().join("\n"))).toBeNull();
    expect(differenceOf("a")).toBeNull();
    expect(differenceOf("a".repeat(5000))).toBeNull();
  });

  it("reads few blocks of a long text, and shares counters in a large vocabulary", () => {
    const random = Random.of(3, "long");
    const reads = { count: 0 };
    const source = {
      length: 40_000_000,
      subarray: () => expect.unreachable("reads blocks"),
      // The last tenth has other tokens.
      read(start: number, into: Int32Array) {
        reads.count += 1;
        const first = start >= 36_000_000 ? 1000 : 0;
        for (let i = 0; i < into.length; i++) into[i] = first + random.below(50);
      },
    };
    expect(splitDifference(source, 36_000_000, 100_000)?.validationNats).toBeGreaterThan(8);
    expect(reads.count).toBeLessThanOrEqual(44_000);
  });
});
