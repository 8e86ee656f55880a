import { describe, expect, it } from "vitest";
import { startOfText } from "../../src/data/text-start.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { factsOf } from "../support/text-oracle.ts";

const startOf = (text: string, tokenizer = CharTokenizer.fromText(text)) =>
  startOfText(factsOf(text), tokenizer);

describe("the start of a text", () => {
  it.each([
    ["ab\r\ncd\n", "\n"],
    ["ab\rcd", "\r"],
    ["b,a,b", "b"],
    ["漢字漢", "漢"],
    ["🦊a", "🦊"],
  ])("of %j is %j", (text, start) => {
    expect(startOf(text)).toBe(start);
    expect(startOfText(factsOf(text), new ByteTokenizer())).toBe(start);
  });

  it("is the first character that the tokenizer knows; none if it knows none", () => {
    expect(startOf("x,\ny,a", CharTokenizer.fromText("a,"))).toBe(",");
    expect(startOf("x\ry", CharTokenizer.fromText("\ry"))).toBe("\r");
    expect(startOf("xyz", CharTokenizer.fromText("abc"))).toBe("");
  });
});
