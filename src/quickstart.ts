/** The short door to the main job: train a GPT on a string, then sample from it. */

import { Context } from "./autograd/context.ts";
import type { Backend } from "./backend/backend.ts";
import { openBackend } from "./backend/open.ts";
import { presetOf } from "./config/presets.ts";
import { resolveSettings, type Settings } from "./config/settings.ts";
import { GPT } from "./nn/gpt.ts";
import { Random } from "./random.ts";
import { gptConfigOf } from "./run/config.ts";
import { generateText } from "./sample/generate-text.ts";
import type { SampleSettings } from "./sample/settings.ts";
import { CharTokenizer } from "./text/char-tokenizer.ts";
import type { Tokenizer } from "./text/tokenizer.ts";
import { NextToken } from "./train/objectives/next-token.ts";
import { type StepReport, Trainer } from "./train/trainer.ts";
import { checkTypes } from "./util/check-types.ts";

export interface TrainGPTOptions extends Partial<Settings> {
  /** Called after each step. */
  readonly onStep?: (report: StepReport) => void;
}

export interface SampleOptions extends Partial<SampleSettings> {
  /** How many tokens to generate at most; 200 if left out. */
  readonly tokens?: number;
  /** 1 if left out. */
  readonly seed?: number;
}

/** A GPT with its tokenizer, and the backend that it computes on. */
export class TrainedGPT {
  readonly model: GPT;
  readonly tokenizer: Tokenizer;
  readonly #backend: Backend;

  constructor(model: GPT, tokenizer: Tokenizer, backend: Backend) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.#backend = backend;
  }

  /**
   * Continues a prompt.
   *
   * @returns the prompt and its continuation
   * @throws TokenError for a character of the prompt that the training text does not have
   * @throws SampleError for an empty prompt or settings out of range
   * @example await model.sample("Once", { tokens: 100, temperature: 0.8 })
   */
  async sample(prompt: string, options: SampleOptions = {}): Promise<string> {
    checkTypes("sample", { prompt, options }, { prompt: "string", options: "object" });
    const { tokens = 200, seed = 1, ...settings } = options;
    const random = Random.of(seed, "sample");
    let text = prompt;
    for await (const piece of generateText(this.model, this.tokenizer, prompt, {
      tokens,
      random,
      settings,
      overflow: "slide",
    })) {
      text += piece;
    }
    return text;
  }

  /** Frees the model and stops the backend's threads. */
  async close(): Promise<void> {
    this.model.context.close();
    await this.#backend.close();
  }
}

/**
 * Trains a small GPT on the characters of a text. Every setting of the command line is an option; the defaults are the
 * preset "tiny". The same text, options and seed give the same weights, to the bit.
 *
 * @param text at least two characters; the context length shrinks to a text that is shorter than it
 * @throws ConfigError for settings out of range
 * @throws DataError for a text that is too short
 * @example
 *   const model = await trainGPT(text, { steps: 500 });
 *   console.log(await model.sample("Once", { tokens: 100 }));
 *   await model.close();
 */
export async function trainGPT(text: string, options: TrainGPTOptions = {}): Promise<TrainedGPT> {
  checkTypes("trainGPT", { text, options }, { text: "string", options: "object" });
  const { onStep, ...given } = options;
  checkTypes("trainGPT", { onStep }, { onStep: "function?" });
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  const preset = resolveSettings(presetOf("tiny").settings, given);
  const contextLength = Math.max(1, Math.min(preset.contextLength, ids.length - 1));
  const settings = { ...preset, contextLength };
  const backend = await openBackend("wasm");
  try {
    const config = gptConfigOf(settings, tokenizer.vocabSize);
    const model = new GPT(new Context(backend), config, Random.of(settings.seed, "weights"));
    const trainer = new Trainer(model, new NextToken(model, ids, settings), settings);
    while (trainer.stepsDone < settings.steps) {
      const report = await trainer.step();
      onStep?.(report);
    }
    return new TrainedGPT(model, tokenizer, backend);
  } catch (error) {
    await backend.close();
    throw error;
  }
}
