/** The entropy of tokens drawn uniformly from four is exactly ln 4 nats per token. A model with a lower loss peeks. */
import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { brokenGPT } from "../../src/verify/broken-gpt.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { checkFloor } from "../../src/verify/floor.ts";
import { randomIds } from "../support/models.ts";

const ids = Int32Array.from(randomIds(3000, 4, "even"));
const known = { ids, range: { start: 2700, end: 3000 }, floorNats: Math.log(4) };
const settings = resolveSettings({
  layers: 1,
  heads: 1,
  dModel: 16,
  contextLength: 8,
  batchSize: 16,
  steps: 200,
  learningRate: 1e-2,
  warmupSteps: 10,
});
const config = gptConfigOf(settings, 4);

test("catches a model that peeks, and passes the same weights with the mask", async () => {
  const context = new Context(new WasmBackend(await loadKernels()));
  const peeking = brokenGPT("mask", context, config);
  const seeing = new GPT(context, config, Random.of(2));
  await copyWeights(seeing.parameters(), peeking.parameters());
  const trainer = new Trainer(peeking, new NextToken(peeking, ids.subarray(0, 2700), settings), settings);
  while (trainer.stepsDone < settings.steps) await trainer.step();
  await copyWeights(peeking.parameters(), seeing.parameters());

  const found = await checkFloor(peeking, known);
  expect(found.ok).toBe(false);
  expect(found.counterExamples[0]).toMatch(/^the loss on 300 validation tokens is 0\.\d{4} nats, below/);
  const fair = await checkFloor(seeing, known);
  expect([fair.ok, fair.counterExamples]).toEqual([true, []]);
  expect(fair.compared).toMatch(/^[1-9]\d*\.\d{4} nats per token, floor 1\.3863$/);
});

test("skips a text of unknown entropy", async () => {
  const context = new Context(new WasmBackend(await loadKernels()));
  const check = await checkFloor(new GPT(context, config, Random.of(1)), null);
  expect([check.ok, check.comparisons]).toEqual([true, 0]);
  expect(check.skipped).toBe("the entropy of this model's text is unknown");
});
