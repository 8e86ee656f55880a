import { expect, it } from "vitest";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { knownText } from "../../src/text/unknown.ts";

it("drops what a tokenizer of characters does not know, and nothing else", () => {
  const tokenizer = CharTokenizer.fromText("ab😀\n");
  const found = knownText("a😀Ωb\n😁Ωa", tokenizer, "drop");
  expect(found).toEqual({ text: "a😀b\na", dropped: 3 });
  tokenizer.encode(found.text);
  expect(knownText("aΩ", tokenizer, "reject")).toEqual({ text: "aΩ", dropped: 0 });
  expect(() => knownText("aΩ", tokenizer, "byte")).toThrow(
    "--unknown byte: this model's tokens are characters",
  );
  for (const unknown of ["reject", "drop", "byte"] as const) {
    expect(knownText("aΩ", new ByteTokenizer(), unknown)).toEqual({ text: "aΩ", dropped: 0 });
  }
});
