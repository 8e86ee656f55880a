import { describe, expect, it } from "vitest";
import {
  beamsToJSON,
  choiceToJSON,
  describeBeams,
  describeChoice,
} from "../../../../src/cli/commands/sample/explanation.ts";
import { Random } from "../../../../src/random.ts";
import type { BeamPath, BeamStep } from "../../../../src/sample/beam-search.ts";
import { explain } from "../../../../src/sample/explain.ts";
import type { SampleSettings } from "../../../../src/sample/settings.ts";
import { choose } from "../../../../src/sample/strategies.ts";
import { ByteTokenizer } from "../../../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../../../src/text/char-tokenizer.ts";

const tokenizer = new CharTokenizer("\n abcdeg");
const LOGITS = [0, 1, 12, 4, 8, 1, 6, 0].map((share) => Math.log(share / 32));
const settings: SampleSettings = {
  ...{ strategy: "sample", temperature: 1, topK: 3, topP: null },
  ...{ repetitionPenalty: 1.5, noRepeatNgram: 1 },
};

describe("a choice", () => {
  const explanation = explain(choose(LOGITS, [4], { ...settings, topK: 1 }, Random.of(1)), 3);

  it("is a table of the candidates, the dropped tokens with reasons, and the effect of each rule", () => {
    expect(describeChoice(tokenizer, "step 1", explanation)).toBe(`\
step 1: "a" chosen, 1st by the model, ln p -0.9808
        model      left
  >    37.50%   100.00%   "a"
       25.00%         –   "c"   dropped by no-repeat n-gram
       18.75%         –   "e"   dropped by top-k
    repetition penalty 1.5: 6 left; 1 changed: "c"
    no-repeat n-gram 1: 5 left; 1 dropped: "c"
    temperature 1: 5 left; 5 changed
    top-k 1: 1 left; 4 dropped: "e" "b" " " …`);
  });

  it("fits in 80 columns for any tokens and numbers", () => {
    const bytes = new ByteTokenizer();
    const logits = Array.from({ length: 256 }, (_, i) => (i < 128 ? 0.5 : -i / 100));
    for (let seed = 0; seed < 20; seed++) {
      const wild = { ...settings, temperature: 1.23456789012345, topK: 3, minP: 0.000123456789 };
      const choice = choose(logits, [200, 201, 202, 203, 204], wild, Random.of(seed));
      const heading = "step 100000 of text 1000 of 1000";
      const lines = describeChoice(bytes, heading, explain(choice, 9)).split("\n");
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
      for (const line of lines) expect(line).not.toMatch(/\p{Cc}/u);
    }
  });

  it("explains why the no-repeat rule allows a repetition", () => {
    const only = LOGITS.map((logit, token) => (token === 4 ? logit : Number.NEGATIVE_INFINITY));
    const explained = (history: number[]) =>
      describeChoice(tokenizer, "step 1", explain(choose(only, history, settings, Random.of(1)), 3));
    expect(explained([4])).toContain("no-repeat n-gram 1: 1 left; skipped: it would drop every token\n");
    expect(explained([3])).toContain("no-repeat n-gram 1: 1 left; no effect\n");
  });

  it("writes ranks as ordinals", () => {
    const rank = (n: number) =>
      /chosen, (\w+) by/.exec(describeChoice(tokenizer, "", { ...explanation, rank: n }))?.[1];
    expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(rank)).toEqual(
      "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 103rd 111th".split(" "),
    );
  });

  it("has text and ids of each token in JSON", () => {
    expect(choiceToJSON(tokenizer, explanation)).toMatchObject({
      token: 2,
      text: "a",
      rank: 1,
      candidates: [{ text: "a" }, { text: "c", droppedBy: "no-repeat n-gram" }, { text: "e" }],
    });
  });
});

describe("a step of a beam search", () => {
  const path = (text: string, total: number, row: number, greedy = false): BeamPath => ({
    tokens: [...tokenizer.encode(text)],
    logProbabilities: [],
    total,
    row,
    greedy,
  });
  const step: BeamStep = {
    followed: [path("ab", -1.5, 0), path("cab", -2.25, 1, true)],
    ended: [path("a\n", -3, 0)],
    dropped: [path("abcdefg".replace("f", "").repeat(20), -123456.75, 1)],
    compared: 16,
    forbidden: 2,
  };

  it("is a table of the kept, ended and dropped continuations", () => {
    expect(describeBeams(tokenizer, "step 2", step)).toBe(`\
step 2: 16 continuations compared, 2 kept, 1 ended, 2 forbidden
           ln p   from
  >     -1.5000      1   "ab"
  >     -2.2500      2   "cab"   (greedy choice)
  .     -3.0000      1   "a\\n"
    -123456.7500      2   "…${"abcdeg".repeat(6)}"`);
  });

  it("has text and ids of each continuation in JSON", () => {
    expect(beamsToJSON(tokenizer, step)).toMatchObject({
      compared: 16,
      followed: [
        { text: "ab", total: -1.5, from: 0 },
        { text: "cab", greedy: true },
      ],
      ended: [{ text: "a\n" }],
    });
  });
});
