import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { NopeekError } from "../../src/errors.ts";
import { HuggingFaceTokenizer } from "../../src/text/huggingface-tokenizer.ts";
import { encodeDocument } from "../../src/text/tokenizer.ts";
import { tokenizerFromJSON } from "../../src/text/tokenizer-from-json.ts";
import { messageOfA } from "../support/errors.ts";

const messageOf = messageOfA(NopeekError);
/** Computed by Hugging Face's Rust library: see scripts/interop/golden_tokenizers.py. */
const golden = z
  .object({
    texts: z.array(z.string()),
    cases: z.array(
      z.object({
        name: z.string(),
        definition: z.string(),
        ids: z.array(z.array(z.int())),
        texts: z.array(z.string()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("huggingface/golden.json", import.meta.url), "utf8")));

const SIZE = 400;
const open = (definition: string, endOfText: number | null = null) =>
  new HuggingFaceTokenizer({ kind: "huggingface", definition, vocabSize: SIZE, endOfText });
const named = (name: string) => golden.cases.find((each) => each.name === name)?.definition ?? "";

describe.each(golden.cases)("$name", ({ definition, ids, texts }) => {
  const tokenizer = open(definition);

  it("has the ids of the Rust library", () => {
    for (const [i, text] of golden.texts.entries())
      expect(Array.from(tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids[i]);
  });

  it("decodes to the texts of the Rust library, at once and token by token", () => {
    for (const [i, text] of texts.entries()) {
      expect(tokenizer.decode(ids[i])).toBe(text);
      const decoder = tokenizer.decoder();
      const joined = ids[i].map((id) => decoder.push(id)).join("") + decoder.end();
      // Only the start of a text loses a space, and a stream may be the middle of one.
      expect([text, ` ${text}`]).toContain(joined);
    }
  });

  it("is restored from its JSON", () => {
    const restored = tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer.toJSON())));
    expect(restored.encode(golden.texts[0])).toEqual(tokenizer.encode(golden.texts[0]));
  });
});

describe("HuggingFaceTokenizer", () => {
  it("decodes what it encodes, for any text", () => {
    const tokenizer = open(named("GPT-2"));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it.each(["GPT-2", "SmolLM", "Llama 3", "words", "Llama 2"])(
    "%s encodes a long text in pieces as a whole",
    (name) => {
      const tokenizer = open(named(name));
      const text = "The cat sat\n\n  on the mat.\nIt's 12345\n".repeat(6000);
      const encoder = tokenizer.encoder();
      const ids: number[] = [];
      for (let at = 0; at < text.length; at += 40_001)
        ids.push(...Array.from(encoder.push(text.slice(at, at + 40_001))));
      const early = ids.length;
      for (const id of Array.from(encoder.end())) ids.push(id);
      expect(ids).toEqual(Array.from(tokenizer.encode(text)));
      // The others may join a line break with what follows it.
      expect(early > 0).toBe(["GPT-2", "SmolLM", "Llama 3"].includes(name));
    },
  );

  it("begins documents with the token that the file asks for, or with none", () => {
    expect(encodeDocument(open(named("Llama 2")), "the")[0]).toBe(1);
    expect(encodeDocument(open(named("GPT-2"), 0), "the")).toEqual(open(named("GPT-2")).encode("the"));
  });

  it("gives no bytes for the end token and for ids without a token", () => {
    const tokenizer = open(named("GPT-2"), 0);
    expect(tokenizer.tokenBytes(0)).toHaveLength(0);
    expect(tokenizer.decode([0, SIZE - 1])).toBe("<|end|>");
    expect(messageOf(() => tokenizer.decode([SIZE]))).toContain("0 … 399");
  });

  it.each([
    [/"type": "BPE"/, '"type": "Unigram"', "only byte-pair encoding"],
    [/"dropout": null/, '"dropout": 0.5', "`model.dropout`"],
    [/"end_of_word_suffix": null/, '"end_of_word_suffix": "</w>"', "`model.end_of_word_suffix`"],
    [/"single_word": false/, '"single_word": true', "`added_tokens.0.single_word`"],
    [/"normalizer": null/, '"normalizer": {"type": "Lowercase"}', "`normalizer`"],
    [
      /"normalizer": null/,
      '"normalizer": {"type": "Replace", "pattern": {"Regex": "(a+)+b"}, "content": ""}',
      "`normalizer`",
    ],
    [/"use_regex": true/, '"use_regex": true, "new_option": 1', '"new_option"'],
    [/"decoder": \{/, '"decoder": {"type": "WordPiece"}, "post_processor": {', "twice"],
    [/"<\|end\|>": 0/, '"<|end|>": 1e9', "the id of"],
    [/"vocab": \{/, '"vocab": {"x y": 7, ', "the same id, 7"],
    [/"merges": \[/, '"merges": [["t", "nothing"], ', 'needs the token "nothing"'],
    [/"merges": \[/, '"merges": ["a b c", ', "a merge should be two tokens"],
  ])("refuses %s", (before, after, reason) => {
    const definition = named("GPT-2");
    expect(definition).toMatch(before);
    expect(messageOf(() => open(definition.replace(before, after)))).toContain(reason);
  });

  it("refuses a vocabulary that is larger than the model's", () => {
    const data = {
      kind: "huggingface",
      definition: named("GPT-2"),
      vocabSize: 100,
      endOfText: null,
    } as const;
    expect(messageOf(() => new HuggingFaceTokenizer(data))).toContain("the model knows ids below 100");
  });

  it("names a character that has no token", () => {
    const definition = JSON.stringify({
      added_tokens: [],
      decoder: { type: "Fuse" },
      model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
    });
    expect(messageOf(() => open(definition).encode("abc"))).toContain(
      '"c" is not in this model\'s vocabulary',
    );
  });
});
