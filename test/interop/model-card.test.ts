import { describe, expect, test } from "vitest";
import { resolveSettings } from "../../src/config/settings.ts";
import { type ModelCard, modelCard } from "../../src/interop/model-card.ts";
import { gptConfigOf, type RunConfig } from "../../src/run/config.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

const tokenizer = new CharTokenizer("abc");
const settings = resolveSettings({ layers: 1, heads: 2, dModel: 8, contextLength: 16, seed: 7 });
const run: RunConfig = {
  settings,
  tokenizer,
  corpus: { path: "/home/ada/secret/letters.txt", sha256: "ab".repeat(32), characters: 12_345 },
};
const CARD: ModelCard = {
  name: "letters-1",
  model: { config: gptConfigOf(settings, 3), tokenizer, tensors: new Map() },
  parameters: 4321,
  run,
  step: 500,
  validation: { lossNats: 0.6055, bitsPerByte: 0.8522 },
  command: "npx nopeek train --data letters.txt",
  library: "transformers",
  format: "a folder",
  usage: { language: "python", code: "print()" },
};

function textOf(changes: Partial<ModelCard> = {}): string {
  const { name, bytes } = modelCard({ ...CARD, ...changes });
  expect(name).toBe("README.md");
  return new TextDecoder().decode(bytes);
}

describe("the model card", () => {
  test("begins with the front matter of the Hub, and leaves the license to the user", () => {
    const [empty, front] = textOf().split("---\n");
    expect(empty).toBe("");
    expect(front).toBe("library_name: transformers\npipeline_tag: text-generation\ntags:\n- nopeek\n- gpt\n");
    expect(textOf()).toContain("Add `license:`");
  });

  test("says what the model was trained on, how, and what its loss means", () => {
    const text = textOf();
    expect(text).toContain("12,345 characters: `letters.txt`");
    expect(text).toContain("ab".repeat(32));
    expect(text).toContain("after 500 updates, from random weights, with seed 7");
    // e^−0.6055 = 0.5458; 0.6055 / ln 2 = 0.8736
    expect(text).toContain(
      "0.6055 nats per character, or 0.8736 bits per character, or 0.8522 bits per byte of UTF-8",
    );
    expect(text).toContain("a probability of 54.6%");
    expect(text).toContain("```sh\nnpx nopeek train --data letters.txt\n```");
    expect(textOf({ validation: null })).toContain("was not measured");
  });

  test("of an encoder–decoder says what it answers, and how long a string may be", () => {
    const task = { model: "seq2seq", task: "sort", alphabetSize: 5, minLength: 2, maxLength: 9 } as const;
    const text = textOf({ run: { settings: resolveSettings(task), tokenizer, corpus: null } });
    expect(text).toContain("pipeline_tag: text2text-generation\ntags:\n- nopeek\n- encoder-decoder\n");
    expect(text).toContain("A small encoder–decoder with 4,321 parameters");
    expect(text).toContain(
      "Its 3 tokens are characters. Two more, [start] and [end], begin and end an answer.",
    );
    expect(textOf()).toContain("Its 3 tokens are characters. None of them ends a text.");
    expect(text).toContain("It reads at most 9 letters.");
    expect(text).toContain(
      "Strings of 2 to 9 of the first 5 letters, drawn at random, with answers that sort them.",
    );
    expect(textOf()).toContain("A small GPT with 4,321 parameters");
  });

  test("no folder of the author's machine is in it", () => {
    const corpus = { ...run.corpus, path: "a + b", sha256: "cd", characters: 1 };
    const paths = ["/home/ada/a.txt", "C:\\Users\\ada\\b.txt"];
    const text = textOf({
      run: {
        ...run,
        from: "/home/ada/runs/first",
        corpus: { ...corpus, paths, validation: ["/home/ada/v.txt"] },
      },
    });
    expect(text).toContain("`a.txt`, `b.txt`");
    expect(text).toContain("from the model `first`");
    for (const word of ["ada", "home", "Users"]) expect(text).not.toContain(word);
    expect(textOf()).not.toContain("secret");
  });

  test("names cannot become Markdown, HTML or control characters", () => {
    const text = textOf({ name: "a`b``c<script>\n# d\u001b[2J", command: "x ``` y" });
    expect(text).toContain("# ```a`b``c<script>\ufffd# d\ufffd[2J```");
    expect(text).toContain("````sh\nx ``` y\n````");
    expect(textOf({ name: "`" })).toContain("# `` ` ``");
  });
});
