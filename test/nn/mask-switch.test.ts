/** A model with a mask switch: with the causal mask it computes a GPT's bits, and a switch takes effect at once. */
import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { MaskSwitchGPT } from "../../src/nn/mask-switch.ts";
import { MaskSwitchEncoderDecoder } from "../../src/nn/mask-switch-encoder-decoder.ts";
import { Random } from "../../src/random.ts";
import { generate } from "../../src/sample/generate.ts";
import { PLAIN_SAMPLING } from "../../src/sample/generate-text.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { randomIds, TINY, tinyModel } from "../support/models.ts";

const T = 6;
const ids = randomIds(T, TINY.vocabSize, "mask switch", 1);
const showAll = (queries: number, keys: number) => new Float64Array(queries * keys);

/** A GPT, and a model with a switch that has the same weights. */
async function twins() {
  const context = new Context(new WasmBackend(await loadKernels()));
  const plain = tinyModel(context, { heads: 2 });
  const switched = new MaskSwitchGPT(context, plain.config, Random.zeros());
  await copyWeights(plain.parameters(), switched.parameters());
  return { plain, switched };
}

async function logitsOf(model: MaskSwitchGPT | ReturnType<typeof tinyModel>, tokens: readonly number[]) {
  return model.context.scope("no-grad", async () =>
    Array.from(await model.forward({ ids: tokens, batchSize: 1 }).read()),
  );
}

async function written(model: MaskSwitchGPT | ReturnType<typeof tinyModel>): Promise<number[]> {
  const options = { tokens: 5, random: Random.of(3), settings: PLAIN_SAMPLING, overflow: "slide" } as const;
  const tokens: number[] = [];
  for await (const { token, logProbability } of generate(model, ids.slice(0, 2), options))
    tokens.push(token, logProbability);
  return tokens;
}

test("with the causal mask, logits and samples are a GPT's, to the bit", async () => {
  const { plain, switched } = await twins();
  expect(await logitsOf(switched, ids)).toEqual(await logitsOf(plain, ids));
  expect(await written(switched)).toEqual(await written(plain));
});

test("the switch takes effect at once, in forward passes and in cached steps, and can be turned back", async () => {
  const { switched } = await twins();
  const [causal, causalText] = [await logitsOf(switched, ids), await written(switched)];
  const changed = [...ids.slice(0, -1), (ids[T - 1] + 1) % TINY.vocabSize];
  const first = (logits: readonly number[]) => logits.slice(0, TINY.vocabSize);

  switched.maskMatrix = showAll;
  const open = await logitsOf(switched, ids);
  // Without the mask, the first position sees the last one.
  expect(first(await logitsOf(switched, changed))).not.toEqual(first(open));
  expect(first(open)).not.toEqual(first(causal));
  expect(await written(switched)).not.toEqual(causalText);

  switched.maskMatrix = null;
  expect(await logitsOf(switched, ids)).toEqual(causal);
  expect(first(await logitsOf(switched, changed))).toEqual(first(causal));
  expect(await written(switched)).toEqual(causalText);
});

test("an encoder–decoder's switch replaces the mask of its answer, not of its source", async () => {
  const context = new Context(new WasmBackend(await loadKernels()));
  const config = tinyModel(context, { heads: 2 }).config;
  const plain = new EncoderDecoder(context, config, Random.of(2, "weights"));
  const switched = new MaskSwitchEncoderDecoder(context, config, Random.zeros());
  await copyWeights(plain.parameters(), switched.parameters());
  const logits = (model: EncoderDecoder, source: readonly number[], tokens: readonly number[]) =>
    model.context.scope("no-grad", async () => {
      const of = { ids: source, batchSize: 1 };
      return Array.from(await model.forward(of, { ids: tokens, batchSize: 1 }).read());
    });
  const first = (all: readonly number[]) => all.slice(0, config.vocabSize + 1);
  const changed = [...ids.slice(0, -1), (ids[T - 1] + 1) % config.vocabSize];

  const causal = await logits(switched, ids, ids);
  expect(causal).toEqual(await logits(plain, ids, ids));
  expect(first(await logits(switched, ids, changed))).toEqual(first(causal));
  switched.maskMatrix = showAll;
  const open = await logits(switched, ids, ids);
  expect(first(await logits(switched, ids, changed))).not.toEqual(first(open));
  // A mask matrix of the answer does not fit a source of another length.
  expect(first(await logits(switched, ids.slice(2), ids))).not.toEqual(first(open));
  switched.maskMatrix = null;
  expect(await logits(switched, ids, ids)).toEqual(causal);
});
