import { describe, expect, test } from "vitest";
import { encodeKnown, encodeWithBlanks } from "../../../src/cli/options/unknown-characters.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { doubleContext } from "../../support/contexts.ts";
import { tinyEncoder } from "../../support/models.ts";

describe("a text with blanks", () => {
  const tokenizer = CharTokenizer.fromText("\nab");
  const model = tinyEncoder(doubleContext(), { vocabSize: tokenizer.vocabSize });

  test("has [MASK] for each blank", () => {
    expect(encodeWithBlanks(model, tokenizer, "_a\n_b_")).toEqual([
      model.maskId,
      ...[1, 0],
      model.maskId,
      2,
      model.maskId,
    ]);
    expect(encodeWithBlanks(model, tokenizer, "Ωa_Ω", "drop")).toEqual([1, model.maskId]);
  });

  test("reports an unknown character at its place in the whole text", () => {
    const text = "a_b\n_aΩ_";
    const place = "character 7 of the text, line 2, column 3";
    expect(() => encodeWithBlanks(model, tokenizer, text)).toThrow(place);
    // The same place as without blanks.
    expect(() => encodeKnown(tokenizer, text.replaceAll("_", "a"))).toThrow(place);
  });
});
