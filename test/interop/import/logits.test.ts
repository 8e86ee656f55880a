/** Imported models compute what transformers computes. scripts/golden/imported_models.py wrote the models and their logits. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend } from "../../../src/backend/backend.ts";
import { openBackend } from "../../../src/backend/open.ts";
import { importFolder } from "../../../src/interop/import/import-folder.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { nodeFiles } from "../../../src/run/node-files.ts";
import { restore } from "../../../src/run/restore.ts";

const FOLDERS = fileURLToPath(new URL("../../golden/import/", import.meta.url));

let backend: Backend;
beforeAll(async () => {
  backend = await openBackend("wasm", 1);
});
afterAll(() => backend.close());

it.each(["gpt2", "gpt2-exact", "gpt-neo", "gpt-neox", "llama", "qwen2", "qwen3", "mistral"])(
  "%s has transformers' logits",
  async (name) => {
    const folder = join(FOLDERS, name);
    const expected: { ids: number[]; logits: number[] } = JSON.parse(
      readFileSync(join(folder, "expected.json"), "utf8"),
    );
    const { config, tensors } = importFolder(folder, nodeFiles);
    const context = new Context(backend);
    const model = new GPT(context, gptConfigOf(config.settings, config.tokenizer.vocabSize), Random.zeros());
    restore(model.parameters(), tensors, name);
    const tokens = { ids: expected.ids, batchSize: 1 };
    const logits = await context.noGrad(() => model.forward(tokens).read());
    const largest = Math.max(1, ...expected.logits.map(Math.abs));
    const worst = Math.max(...expected.logits.map((logit, i) => Math.abs(logit - logits[i])));
    expect(logits.length).toBe(expected.logits.length);
    expect(worst).toBeLessThanOrEqual(4e-6 * largest);
  },
);
