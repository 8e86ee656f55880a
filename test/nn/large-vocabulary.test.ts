/** A loss over 17 million logits, which are computed in chunks: the bits of the whole, in less memory. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { Heap } from "../../src/backend/wasm/host/heap.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import type { TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { MaskedToken } from "../../src/train/objectives/masked-token.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

/** 12 windows of 28 tokens, and 50,257 scores for each: 17 million logits, 68 MB. */
const VOCAB = 50_257;
const SMALL: Partial<Settings> = {
  ...{ layers: 1, heads: 2, dModel: 8, contextLength: 28, batchSize: 12, steps: 2, warmupSteps: 0 },
};

/** The same models, with all logits at once. */
class WholeGPT extends GPT {
  override loss(
    tokens: TokenBatch,
    targets: ArrayLike<number>,
    options?: Parameters<GPT["loss"]>[2],
  ): Tensor {
    return crossEntropy(this.forward(tokens, options), targets);
  }
}
class WholeEncoder extends Encoder {
  override loss(
    tokens: TokenBatch,
    targets: ArrayLike<number>,
    options?: Parameters<Encoder["loss"]>[2],
  ): Tensor {
    return crossEntropy(this.forward(tokens, options), targets);
  }
}

const ids = (() => {
  const random = Random.of(3, "large vocabulary");
  return Int32Array.from({ length: 1009 }, () => random.below(VOCAB));
})();

/** Trains one step; returns the SHA-256 of weights and optimizer state, the loss, and the memory. */
async function train(changes: Partial<Settings>, kinds: { gpt: typeof GPT; encoder: typeof Encoder }) {
  const settings = resolveSettings(SMALL, changes);
  const heap = new Heap();
  const backend = new WasmBackend(await loadKernels(), (kernels) => kernels, heap);
  const context = new Context(backend);
  const config = gptConfigOf(settings, VOCAB);
  const random = Random.of(settings.seed, "weights");
  let trainer: Trainer;
  if (settings.model === "encoder") {
    const model = new kinds.encoder(context, config, random);
    trainer = new Trainer(model, new MaskedToken(model, ids, settings), settings);
  } else {
    const model = new kinds.gpt(context, config, random);
    trainer = new Trainer(model, new NextToken(model, ids, settings), settings);
  }
  const { lossNats } = await trainer.step();
  const hash = createHash("sha256");
  for (const [name, tensor] of Object.entries({
    ...trainer.model.parameters(),
    ...trainer.optimizerState(),
  })) {
    hash.update(name).update(new Uint8Array((await tensor.read()).buffer));
  }
  await backend.close();
  return { sha256: hash.digest("hex"), lossNats, bytes: heap.bytes };
}

describe("training with a vocabulary of 50,257", () => {
  it.each<[string, Partial<Settings>]>([
    ["a tied head", { tieHead: true, logitCap: 0 }],
    ["a head of its own, capped logits, dropout", { tieHead: false, logitCap: 15, dropout: 0.2 }],
    ["an encoder, where most targets are ignored", { model: "encoder", tieHead: true, logitCap: 0 }],
  ])("with %s: the bits of all logits at once", async (_, changes) => {
    const chunked = await train(changes, { gpt: GPT, encoder: Encoder });
    const whole = await train(changes, { gpt: WholeGPT, encoder: WholeEncoder });
    expect(chunked.lossNats).toBe(whole.lossNats);
    expect(chunked.sha256).toBe(whole.sha256);
    // Two matrices of 68 MB become one of half that size.
    expect(whole.bytes - chunked.bytes).toBeGreaterThan(70e6);
  });
});
