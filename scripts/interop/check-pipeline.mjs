// @ts-nocheck: the clients, and their types, are not among the packages of this project.
/**
 * Checks exported ONNX folders with the text-generation pipeline of transformers.js. See README.md for cases and claims.
 *
 *   node check-pipeline.mjs CASE…
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { env, pipeline } from "@huggingface/transformers";

env.allowRemoteModels = false;

/** The number of characters that differ, those that one text has more included. */
function difference(actual, expected) {
  const [a, b] = [Array.from(actual), Array.from(expected)];
  const longest = Math.max(a.length, b.length);
  return Array.from({ length: longest }, (_, i) => a[i] === b[i]).filter((same) => !same).length;
}

/** The number of texts with other ids, or that do not come back. */
function tokenizerDifference(tokenizer, texts) {
  return texts.filter(({ text, ids }) => {
    const found = tokenizer.encode(text, { add_special_tokens: false });
    const sameIds = found.length === ids.length && found.every((id, i) => id === ids[i]);
    return !sameIds || tokenizer.decode(found) !== text;
  }).length;
}

for (const folder of process.argv.slice(2)) {
  const { name, greedy, texts } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
  const generator = await pipeline("text-generation", resolve(folder, "onnx"), { device: "cpu" });
  // The prompt begins with the end token already, if there is one.
  const given = { add_special_tokens: false, return_full_text: false };
  const options = { ...given, max_new_tokens: greedy.ids.length, do_sample: false };
  const [{ generated_text: text }] = await generator(greedy.prompt, options);
  const measured = {
    pipeline: difference(text, greedy.text),
    tokenizer: tokenizerDifference(generator.tokenizer, texts),
  };
  for (const [claim, value] of Object.entries(measured)) {
    console.log(JSON.stringify({ case: name, claim, measured: value }));
  }
  await generator.dispose();
}
