/** Samples during training do not change a bit of it. */
import { describe, expect, it } from "vitest";
import { Context } from "../../../../src/autograd/context.ts";
import { loadKernels } from "../../../../src/backend/open.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { OPEN_KIND } from "../../../../src/cli/commands/train/kinds/index.ts";
import { drawSample, writeSample } from "../../../../src/cli/commands/train/samples.ts";
import { resolveSettings, type Settings } from "../../../../src/config/settings.ts";
import { LogitsError } from "../../../../src/errors.ts";
import { GPT } from "../../../../src/nn/gpt.ts";
import { snapshot } from "../../../../src/run/restore.ts";
import { Trainer } from "../../../../src/train/trainer.ts";
import { makeText, WORDS } from "../../../support/program.ts";
import { tokenized } from "../../../support/tokenized.ts";

const TEXT = makeText(WORDS, 200);

async function prepare(changes: Partial<Settings> = {}) {
  const small = { layers: 1, heads: 2, dModel: 6, contextLength: 13, batchSize: 3, alphabetSize: 4 };
  const settings = resolveSettings({ ...small, minLength: 2, maxLength: 5 }, changes);
  const { tokenizer, text } = await tokenized(settings, TEXT);
  const config = { settings, tokenizer, corpus: null };
  const context = new Context(new WasmBackend(await loadKernels()));
  const kind = await OPEN_KIND[settings.model](context, config, text);
  return { config, kind, trainer: new Trainer(kind.model, kind.objective, settings) };
}

/** The weights and the optimizer state after some steps. */
async function weightsAfter(steps: number, samples: boolean, changes: Partial<Settings>) {
  const run = await prepare(changes);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    losses.push((await run.trainer.step()).lossNats);
    if (samples) expect(await drawSample(run)).not.toBeNull();
  }
  const { model } = run.trainer;
  return {
    losses,
    model: await snapshot(model.parameters()),
    optimizer: await snapshot(run.trainer.optimizerState()),
  };
}

describe("a sample", () => {
  it.each<Partial<Settings>>([
    { dropout: 0.3, averageSteps: 3, skipSpikes: 5 },
    { dropout: 0.3, optimizer: "muon", positions: "rotary", heads: 1 },
    { dropout: 0.3, model: "encoder" },
    { dropout: 0.3, model: "seq2seq" },
  ])("changes no bit of later training: %o", async (changes) => {
    const plain = await weightsAfter(7, false, changes);
    const sampled = await weightsAfter(7, true, changes);
    expect(sampled).toEqual(plain);
    expect(plain.losses[6]).not.toBe(plain.losses[0]);
  });

  it("of a gpt continues a line break, with the weights that are saved and a fixed seed", async () => {
    const run = await prepare({ averageSteps: 5, learningRate: 0.05, warmupSteps: 0 });
    const { model } = run.trainer;
    if (!(model instanceof GPT)) throw new Error("a gpt was asked for");
    const write = () => writeSample(model, run.config, 200, "sample while training");
    for (let step = 0; step < 5; step++) await run.trainer.step();
    const newest = await write();
    const kept = await run.trainer.evaluating(write);
    expect(kept).not.toBe(newest);
    expect(kept).toHaveLength(200);
    expect(await drawSample(run)).toEqual({ kind: "sample", step: 5, text: kept });
    // The seed is the same: only another model writes another text.
    expect(await drawSample(run)).toEqual({ kind: "sample", step: 5, text: kept });
    await run.trainer.step();
    expect((await drawSample(run))?.text).not.toBe(kept);
  });

  it("is null if the logits allow no token, and training continues", async () => {
    const run = await prepare();
    const [parameter] = Object.values(run.trainer.model.parameters());
    const { buffer, context } = parameter;
    context.backend.fill(buffer, Number.NaN);
    await expect(run.kind.sample()).rejects.toThrow(LogitsError);
    expect(await drawSample(run)).toBeNull();
  });
});
