import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { ModelKind } from "../../src/config/choices.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { CheckpointError, ConfigError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import { buildModel } from "../../src/run/build-model.ts";
import { runConfigToJSON } from "../../src/run/config.ts";
import {
  loadGPT,
  loadModel,
  RunDirectory,
  readSavedModel,
  SHIPPED_MODEL_PATH,
} from "../../src/run/on-disk.ts";
import { restore, snapshot } from "../../src/run/restore.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { countingBackend, doubleContext } from "../support/contexts.ts";

const folder = mkdtempSync(join(tmpdir(), "nopeek-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;

/** Saves a model of a kind as a run does. */
async function save(kind: ModelKind) {
  const sizes = { layers: 1, heads: 2, dModel: 6, contextLength: 7, maxLength: 5 };
  const settings = resolveSettings({ model: kind, ...sizes });
  const tokenizer = new CharTokenizer("abcdefghijk");
  const model = buildModel(doubleContext(), settings, tokenizer.vocabSize, Random.of(3));
  const path = join(folder, `run-${runs++}`);
  const directory = RunDirectory.create(path, runConfigToJSON({ settings, tokenizer, corpus: null }));
  const tensors = await snapshot(model.parameters());
  directory.saveStep({ step: 1, model: tensors, optimizer: new Map(), state: {}, best: true });
  return { path, tensors, tokenizer };
}

describe("a saved model", () => {
  test.each(["gpt", "encoder", "seq2seq"] as const)(
    "restores the weights and the tokenizer of a %s",
    async (kind) => {
      const { path, tensors, tokenizer } = await save(kind);
      const loaded = loadModel(doubleContext(), path);
      expect(await snapshot(loaded.model.parameters())).toEqual(tensors);
      expect(loaded.tokenizer.toJSON()).toEqual(tokenizer.toJSON());
      expect(loaded.config.settings.model).toBe(kind);
      restore(loaded.model.parameters(), tensors, "here");
    },
  );

  test("loadGPT accepts a gpt and no other kind", async () => {
    const { path } = await save("gpt");
    expect(loadGPT(doubleContext(), path).model.config.vocabSize).toBe(11);
    const encoder = await save("encoder");
    const load = () => loadGPT(doubleContext(), encoder.path);
    expect(load).toThrow(ConfigError);
    expect(load).toThrow("is a model of kind encoder: a gpt is needed here");
  });

  test("is the bundled one if no path is given", () => {
    expect(loadGPT(doubleContext()).config).toEqual(readSavedModel(SHIPPED_MODEL_PATH).config);
  });

  test("with a config of another size is rejected before anything is allocated", async () => {
    const { path } = await save("gpt");
    const file = join(path, "config.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"dModel": 6', '"dModel": 60000'));
    expect(readFileSync(file, "utf8")).toContain("60000");
    const { backend, memory } = countingBackend();
    const load = () => loadModel(new Context(backend), path);
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow("one of the two was changed after saving");
    expect(memory.allocated).toEqual([]);
  });

  test("reports a missing folder", () => {
    expect(() => loadModel(doubleContext(), join(folder, "none"))).toThrow(CheckpointError);
  });
});
