/**
 * Shows what happens without the mask. The same small model is trained on a text twice, with the same initial weights
 * and the same windows: once with M of 0 and −∞, once with M = 0 everywhere. Without the mask, the loss falls below the
 * entropy of the text, because each position reads the token that it has to predict. When that model generates text,
 * there is no token to the right to read, and its output is garbage.
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
import { brokenGPT } from "../verify/broken-gpt.ts";
import { copyWeights } from "../verify/copy.ts";
import { LEAKAGE_SETTINGS } from "./leakage-settings.ts";

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
  /** Changes to the lesson's settings. Default: none. */
  readonly changes?: Partial<Settings>;
  /** Called after each step, first for the model with the mask, then for the one without. */
  readonly onStep?: (which: Which, step: number, lossNats: number) => Promise<void>;
}

/** The results of one of the two models. */
export interface Outcome {
  /** The training loss of each step, before its update. */
  readonly curve: readonly number[];
  /** Validation loss with the mask used in training. */
  readonly lossNats: number;
  /** Validation loss of the same weights with the causal mask. */
  readonly leftOnlyNats: number;
  /** Generated text. */
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
  try {
    const drawn = () => new GPT(context, config, Random.of(seed, "weights"));
    const masked = drawn();
    const unmasked = brokenGPT("mask", context, config);
    await copyWeights(masked.parameters(), unmasked.parameters());
    const withMask = await trainAndEvaluate(masked, "with mask", drawn(), settings, request);
    const withoutMask = await trainAndEvaluate(unmasked, "without mask", drawn(), settings, request);
    return { settings, withMask, withoutMask };
  } finally {
    // An error of `onStep` ends the lesson.
    context.close();
  }
}

/** @param masked a model with the mask, to evaluate the trained weights in */
async function trainAndEvaluate(
  model: GPT,
  which: Which,
  masked: GPT,
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
  await copyWeights(model.parameters(), masked.parameters());
  const range = { start: split.boundary, end: ids.length };
  const { lossNats } = await evaluateSplit(model, ids, range);
  const leftOnly = await evaluateSplit(masked, ids, range);
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
