/** The folder for transformers.js: what it reads before it runs the graph. scripts/interop loads it for real. */
import { expect, test } from "vitest";
import { onnxBytes } from "../../../src/interop/onnx/export.ts";
import { onnxFolder } from "../../../src/interop/onnx/folder.ts";
import { tokenizerFiles } from "../../../src/interop/tokenizer-json.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { doubleContext } from "../../support/contexts.ts";
import { tinyModel } from "../../support/models.ts";
import { storedWeights } from "../../support/stored-weights.ts";

const LETTERS = "abcdefghij";

async function folderOf(changes: Partial<GPTConfig>, tokenizer: CharTokenizer) {
  const model = tinyModel(doubleContext(), { ...changes, vocabSize: tokenizer.vocabSize });
  const tensors = await storedWeights(model);
  const portable = { config: model.config, tokenizer, tensors };
  const files = new Map(onnxFolder(portable).map(({ name, bytes }) => [name, bytes]));
  const json = (name: string): unknown => JSON.parse(new TextDecoder().decode(files.get(name)));
  return { portable, files, json };
}

test("the folder has the graph, the tokenizer and two configurations", async () => {
  const tokenizer = new CharTokenizer(LETTERS);
  const { portable, files, json } = await folderOf({}, tokenizer);
  const names = ["onnx/model.onnx", "config.json", "generation_config.json", "tokenizer.json"];
  expect([...files.keys()]).toEqual([...names, "tokenizer_config.json"]);
  expect(files.get("onnx/model.onnx")).toEqual(onnxBytes(portable));
  const expected = tokenizerFiles(tokenizer, 7);
  expect(json("tokenizer.json")).toEqual(expected.tokenizer);
  expect(json("tokenizer_config.json")).toEqual(expected.config);
});

test("the configuration names the cache's sizes", async () => {
  const { json } = await folderOf({ heads: 4, kvHeads: 2, headSize: 5 }, new CharTokenizer(LETTERS));
  expect(json("config.json")).toMatchObject({
    model_type: "llama",
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 5,
    max_position_embeddings: 7,
    "transformers.js_config": { dtype: "fp32" },
  });
});

test("the end token starts and ends texts and pads them; without one, none of its ids is named", async () => {
  const ids = { bos_token_id: 10, eos_token_id: 10, pad_token_id: 10 };
  const withEnd = await folderOf({}, new CharTokenizer(LETTERS, { endOfText: true }));
  expect(withEnd.json("generation_config.json")).toEqual(ids);
  expect(withEnd.json("config.json")).toMatchObject(ids);
  const without = await folderOf({}, new CharTokenizer(LETTERS));
  expect(without.json("generation_config.json")).toEqual({});
  expect(without.json("config.json")).not.toHaveProperty("eos_token_id");
});
