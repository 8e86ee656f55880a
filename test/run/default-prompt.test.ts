import { describe, expect, it } from "vitest";
import { defaultPrompt } from "../../src/run/default-prompt.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

const record = (start?: string) => ({ path: "my.txt", sha256: "ab".repeat(32), characters: 9, start });
const promptOf = (vocabulary: string, start?: string) =>
  defaultPrompt({ tokenizer: new CharTokenizer(vocabulary), corpus: record(start) });

describe("the default prompt", () => {
  it("is the recorded start, which is shown unless it only ends a line", () => {
    expect(promptOf("\nab", "\n")).toEqual({ text: "\n", ids: Int32Array.of(0), shown: "" });
    expect(promptOf("\rab", "\r")).toEqual({ text: "\r", ids: Int32Array.of(0), shown: "" });
    expect(promptOf(",ab", "b")).toEqual({ text: "b", ids: Int32Array.of(2), shown: "b" });
    const bytes = defaultPrompt({ tokenizer: new ByteTokenizer(), corpus: record("é") });
    expect(bytes).toEqual({ text: "é", ids: Int32Array.of(0xc3, 0xa9), shown: "é" });
  });

  it.each([undefined, "", "z", "\n"])(
    "with the start %j and no line feed in the vocabulary is its first token",
    (start) => {
      expect(promptOf(",ab", start)).toEqual({ text: ",", ids: Int32Array.of(0), shown: "," });
    },
  );

  it("of a run of an earlier version, or without a text, is a line feed if there is one", () => {
    expect(promptOf("\nab")).toMatchObject({ text: "\n", shown: "" });
    const drawn = { tokenizer: new ByteTokenizer(), corpus: null };
    expect(defaultPrompt(drawn)).toMatchObject({ text: "\n", shown: "" });
  });
});
