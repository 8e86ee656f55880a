import { Context } from "../../../autograd/context.ts";
import type { Backend } from "../../../backend/backend.ts";
import type { Settings } from "../../../config/settings.ts";
import type { AblationRun } from "../../../config/variations.ts";
import type { TokenIds } from "../../../data/token-source.ts";
import { TrainingError } from "../../../errors.ts";
import { bitsPerByte, predictedText } from "../../../evaluate/bits-per-byte.ts";
import { evaluateSplit } from "../../../evaluate/loss.ts";
import { GPT } from "../../../nn/gpt.ts";
import { Random } from "../../../random.ts";
import { gptConfigOf } from "../../../run/config.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { NextToken } from "../../../train/objectives/next-token.ts";
import { Trainer } from "../../../train/trainer.ts";
import { nowMs } from "../../terminal/clock.ts";

/** The training split of a text, and where the part held out for evaluation begins. */
export interface Text {
  readonly ids: TokenIds;
  readonly boundary: number;
  readonly tokenizer: Tokenizer;
  readonly sha256: string;
}

export type RunResult = Pick<AblationRun, "lossNats" | "bitsPerByte" | "tokens" | "elapsedMs">;

/** Trains a model from scratch and evaluates it once at the end. */
export async function runOnce(
  settings: Settings,
  { ids, boundary, tokenizer }: Text,
  backend: Backend,
): Promise<RunResult> {
  const context = new Context(backend);
  const model = new GPT(
    context,
    gptConfigOf(settings, tokenizer.vocabSize),
    Random.of(settings.seed, "weights"),
  );
  const objective = new NextToken(model, ids.subarray(0, boundary), settings);
  const trainer = new Trainer(model, objective, settings);
  const startMs = nowMs();
  try {
    while (trainer.stepsDone < settings.steps) await trainer.step();
    const elapsedMs = nowMs() - startMs;
    const range = { start: boundary, end: ids.length };
    const { contextLength, measureTokens } = settings;
    const { lossNats, tokens } = await trainer.evaluating(() =>
      evaluateSplit(model, ids, range, measureTokens),
    );
    const { bytes } = predictedText(tokenizer, contextLength, ids, range, measureTokens);
    return { lossNats, bitsPerByte: bitsPerByte({ lossNats, tokens }, bytes), tokens, elapsedMs };
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    return { lossNats: null, bitsPerByte: null, tokens: 0, elapsedMs: nowMs() - startMs };
  } finally {
    context.close();
  }
}
