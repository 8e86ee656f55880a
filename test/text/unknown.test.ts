import { expect, it } from "vitest";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { dropsUnknown } from "../../src/text/unknown.ts";

it("drops unknown characters only on request, and never for a byte tokenizer", () => {
  const tokenizer = CharTokenizer.fromText("ab");
  expect(dropsUnknown(tokenizer, "drop")).toBe(true);
  expect(dropsUnknown(tokenizer, "reject")).toBe(false);
  expect(() => dropsUnknown(tokenizer, "byte")).toThrow("`unknown` byte: this model's tokens are characters");
  for (const unknown of ["reject", "drop", "byte"] as const)
    expect(dropsUnknown(new ByteTokenizer(), unknown)).toBe(false);
});
