import { describe, expect, it } from "vitest";
import { checkBeamMemory, checkMemory } from "../../../src/cli/shared/memory-check.ts";
import { ConfigError } from "../../../src/errors.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import { TINY } from "../../support/models.ts";

describe("checkMemory", () => {
  const config: GPTConfig = { ...TINY, vocabSize: 65, contextLength: 64, heads: 4, dModel: 128, layers: 4 };

  it("accepts what fits and rejects what does not, for every size", () => {
    expect(() => checkMemory(config, 12)).not.toThrow();
    for (const [changes, batchSize] of [
      [{ dModel: 8192 }, 1],
      [{ layers: 5000 }, 1],
      [{ contextLength: 65_536 }, 12],
      [{}, 65_536],
    ] as const) {
      expect(() => checkMemory({ ...config, ...changes }, batchSize)).toThrow(ConfigError);
    }
  });

  it("counts an encoder–decoder as more than twice the size, and names its settings", () => {
    const near = { ...config, layers: 25, dModel: 896 };
    expect(() => checkMemory(near, 1, "encoder")).not.toThrow();
    expect(() => checkMemory(near, 1, "seq2seq")).toThrow("1 strings of 64: it needs about");
    expect(() => checkMemory(near, 1, "seq2seq")).toThrow("lower --d-model, --layers, --max-length or");
  });

  it("counts an average of the weights as a fifth copy", () => {
    const near = { ...config, layers: 24, dModel: 896, vocabSize: 3 };
    expect(() => checkMemory(near, 1, "gpt")).not.toThrow();
    expect(() => checkMemory(near, 1, "gpt", true)).toThrow("the limit is 3.9 GiB");
  });

  it("counts the partial sums of accumulated gradients", () => {
    const near = { ...config, layers: 24, dModel: 896, vocabSize: 3 };
    expect(() => checkMemory(near, 1, "gpt", false, 1)).not.toThrow();
    expect(() => checkMemory(near, 1, "gpt", false, 2)).toThrow("the limit is 3.9 GiB");
  });

  it("counts the share of the moments that a process keeps", () => {
    const large = { ...config, layers: 30, dModel: 896, vocabSize: 3 };
    expect(() => checkMemory(large, 1)).toThrow("the limit is 3.9 GiB");
    expect(() => checkMemory(large, 1, "gpt", false, 1, 2)).not.toThrow();
    const larger = { ...large, layers: 60 };
    expect(() => checkMemory(larger, 1, "gpt", false, 1, 1000)).toThrow("the limit is 3.9 GiB");
  });

  it("counts one block and the inputs of the others with checkpointed activations", () => {
    const deep = { ...config, layers: 400, dModel: 64, heads: 4, attention: "fused" } as const;
    expect(() => checkMemory(deep, 100)).toThrow(/--batch-size, or turn on --checkpoint-activations$/);
    expect(() => checkMemory({ ...deep, checkpointActivations: true }, 100)).not.toThrow();
    expect(() => checkMemory({ ...deep, checkpointActivations: true }, 100_000)).toThrow(/--batch-size$/);
  });

  it("counts a chunk of the logits of a large vocabulary, not all", () => {
    // All logits of 32,768 positions and their gradient would take 13 GB.
    const large = { ...config, vocabSize: 50_257, layers: 1, contextLength: 1024 };
    expect(() => checkMemory(large, 32)).not.toThrow();
  });

  it("bounds the beams of the smallest model too, by their logits", () => {
    const smallest = { ...config, layers: 1, heads: 1, dModel: 1, contextLength: 2 };
    expect(() => checkBeamMemory(smallest, 100_000)).not.toThrow();
    expect(() => checkBeamMemory(smallest, 10_000_000)).toThrow("--beams may be at most");
    expect(() => checkBeamMemory({ ...smallest, vocabSize: 65_536 }, 10_000)).toThrow("to fit into memory");
  });

  it("counts the scores of textbook attention, and none for fused attention", () => {
    const long = { ...config, contextLength: 8192 };
    expect(() => checkMemory({ ...long, attention: "fused" }, 1)).not.toThrow();
    expect(() => checkMemory({ ...long, attention: "textbook" }, 1)).toThrow("the limit is 3.9 GiB");
  });
});
