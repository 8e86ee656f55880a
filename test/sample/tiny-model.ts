/** A model small enough to check by hand, and a backend that counts its buffers. */
import { Context } from "../../src/autograd/context.ts";
import type { Backend, Buffer } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { GPT2_STYLE, type GPTConfig } from "../../src/nn/config.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";

export class CountingBackend extends ReferenceBackend {
  /** The number of buffers allocated and not yet freed. */
  buffers = 0;

  override alloc(length: number): Buffer {
    this.buffers++;
    return super.alloc(length);
  }

  override free(buffer: Buffer): void {
    this.buffers--;
    super.free(buffer);
  }
}

/** Sizes are distinct, so swapped axes are detected. */
export const TINY: GPTConfig = {
  ...GPT2_STYLE,
  vocabSize: 13,
  contextLength: 11,
  layers: 2,
  heads: 2,
  dModel: 6,
  dropout: 0,
  tieHead: false,
  attention: "fused",
};

/** A model with weights large enough that every position and every earlier token clearly affects the logits. */
export function tinyModel(
  changes: Partial<GPTConfig> = {},
  backend: Backend = new CountingBackend("double"),
  { seed = 4, deviation = 1 } = {},
): GPT {
  const model = new GPT(new Context(backend), { ...TINY, ...changes }, Random.of(1));
  const random = Random.of(seed);
  for (const { buffer, size, shape } of Object.values(model.parameters())) {
    if (shape.length !== 2) continue;
    backend.write(
      buffer,
      Float64Array.from({ length: size }, () => deviation * random.normal()),
    );
  }
  return model;
}
