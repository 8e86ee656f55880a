/**
 * What happens without the mask. One small model learns the same text twice, from the same weights and the same
 * windows: once with M of 0 and −∞, once with M = 0 throughout. Without the mask the loss falls below what the text
 * leaves open, because each position reads the very token that it is asked for. Asked to write, where nothing stands
 * to its right, that model has learned nothing.
 */
import { Context } from "../autograd/context.ts";
import type { Backend } from "../backend/backend.ts";
import { resolveSettings, type Settings } from "../config/settings.ts";
import type { CorpusSplit } from "../data/split.ts";
import type { TokenIds } from "../data/token-source.ts";
import { evaluateSplit } from "../evaluate/loss.ts";
import { GPT } from "../nn/gpt.ts";
import { Random } from "../random.ts";
import { gptConfigOf } from "../run/config.ts";
import { generate } from "../sample/generate.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { NextToken } from "../train/objectives/next-token.ts";
import { Trainer } from "../train/trainer.ts";
import { copyWeights } from "../verify/copy.ts";
import { brokenModel } from "../verify/sabotage.ts";

/** A layer and a half-minute: enough to cheat perfectly, and to learn honestly how words are spelt. */
export const LEAKAGE_SETTINGS = {
  layers: 1,
  heads: 4,
  dModel: 64,
  contextLength: 32,
  activation: "gelu-tanh",
  tieHead: false,
  bigram: true,
  // Attention as the textbook writes it: the two models differ in the numbers of M and in nothing else.
  attention: "textbook",
  batchSize: 16,
  steps: 600,
  optimizer: "muon",
  muonLearningRate: 0.02,
  learningRate: 0.01,
  minLearningRate: 1e-4,
  schedule: "linear",
  warmupSteps: 20,
} as const satisfies Partial<Settings>;

export type Which = "with mask" | "without mask";

export interface LeakageRequest {
  readonly backend: Backend;
  readonly tokenizer: Tokenizer;
  readonly ids: TokenIds;
  readonly split: CorpusSplit<TokenIds>;
  readonly steps: number;
  readonly seed: number;
  readonly prompt: string;
  readonly sampleTokens: number;
  /** What differs from the lesson's own settings; nothing unless told. */
  readonly changes?: Partial<Settings>;
  /** Called after each step of the first model, then of the second. */
  readonly onStep?: (which: Which, step: number, lossNats: number) => Promise<void>;
}

/** What became of one of the two models. */
export interface Outcome {
  /** The loss of each step's windows, before its update. */
  readonly curve: readonly number[];
  /** On the part of the text that was held out, with the mask that it learned with. */
  readonly lossNats: number;
  /** The same weights and the same text, seeing only what stands to the left. */
  readonly leftOnlyNats: number;
  /** What it writes, one token after the other. */
  readonly sample: string;
}

export interface LeakageLesson {
  readonly settings: Settings;
  readonly withMask: Outcome;
  readonly withoutMask: Outcome;
}

export async function teachLeakage(request: LeakageRequest): Promise<LeakageLesson> {
  const { steps, seed, tokenizer, backend } = request;
  const warmupSteps = Math.min(LEAKAGE_SETTINGS.warmupSteps, steps);
  const settings = resolveSettings({ ...LEAKAGE_SETTINGS, steps, seed, warmupSteps }, request.changes ?? {});
  const config = gptConfigOf(settings, tokenizer.vocabSize);
  const context = new Context(backend);
  const drawn = () => new GPT(context, config, Random.of(seed, "weights"));
  const masked = drawn();
  const unmasked = brokenModel("mask", context, config);
  await copyWeights(masked.parameters(), unmasked.parameters());
  const withMask = await follow(masked, "with mask", drawn(), settings, request);
  const withoutMask = await follow(unmasked, "without mask", drawn(), settings, request);
  context.close();
  return { settings, withMask, withoutMask };
}

/** @param honest a model with the mask, which the weights that were learned are tried in */
async function follow(
  model: GPT,
  which: Which,
  honest: GPT,
  settings: Settings,
  request: LeakageRequest,
): Promise<Outcome> {
  const { ids, split } = request;
  const trainer = new Trainer(model, new NextToken(model, split.train, settings), settings);
  const curve: number[] = [];
  while (trainer.stepsDone < settings.steps) {
    const { step, lossNats } = await trainer.step();
    curve.push(lossNats);
    await request.onStep?.(which, step, lossNats);
  }
  await copyWeights(model.parameters(), honest.parameters());
  const range = { start: split.boundary, end: ids.length };
  const { lossNats } = await evaluateSplit(model, ids, range);
  const leftOnly = await evaluateSplit(honest, ids, range);
  return { curve, lossNats, leftOnlyNats: leftOnly.lossNats, sample: await write(model, request) };
}

async function write(model: GPT, { tokenizer, prompt, sampleTokens, seed }: LeakageRequest): Promise<string> {
  const settings = { strategy: "sample", temperature: 0.6, topK: null, topP: null } as const;
  const options = {
    tokens: sampleTokens,
    settings,
    overflow: "slide",
    random: Random.of(seed, "sample"),
  } as const;
  const decoder = tokenizer.decoder();
  let text = "";
  for await (const { token } of generate(model, tokenizer.encode(prompt), options))
    text += decoder.push(token);
  return text + decoder.end();
}
