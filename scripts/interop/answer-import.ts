/**
 * Imports a model and answers a question about it: see check_import.py.
 *
 *   node --import tsx answer-import.ts FOLDER QUESTION.json
 *
 * The question has tokens, and how many of them are a prompt. Writes the logits of all tokens beside it, as float32, and
 * replaces the question by the prompt with greedy tokens after it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { importFolder } from "../../src/interop/import/import-folder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { restore } from "../../src/run/restore.ts";
import { generate } from "../../src/sample/generate.ts";
import { PLAIN_SAMPLING } from "../../src/sample/generate-text.ts";

const [folder, question] = process.argv.slice(2);
const { ids, prompt } = z.parse(
  z.object({ ids: z.array(z.int()), prompt: z.int() }),
  JSON.parse(readFileSync(question, "utf8")),
);
const { config, tensors } = importFolder(folder, nodeFiles);
const backend = await openBackend("wasm", 1);
const context = new Context(backend);
const model = new GPT(context, gptConfigOf(config.settings, config.tokenizer.vocabSize), Random.zeros());
restore(model.parameters(), tensors, folder);

const logits = await context.noGrad(() => model.forward({ ids, batchSize: 1 }).read());
writeFileSync(question.replace(/\.json$/, ".bin"), Float32Array.from(logits));

const text = ids.slice(0, prompt);
const settings = { ...PLAIN_SAMPLING, strategy: "greedy" } as const;
const options = { tokens: ids.length - prompt, settings, random: Random.of(1), overflow: "stop" } as const;
for await (const { token } of generate(model, ids.slice(0, prompt), options)) text.push(token);
writeFileSync(question, JSON.stringify({ ids: text }));
backend.close();
