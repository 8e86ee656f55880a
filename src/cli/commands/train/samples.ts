/**
 * Samples during training: at each evaluation the model writes a short text, which the log keeps beside the losses:
 *
 *   {"kind":"sample","step":1000,"text":"…"}
 *
 * Resuming discards the samples after the resumed step, like all other log entries (see src/run/log.ts).
 */
import { LogitsError } from "../../../errors.ts";
import type { GPT } from "../../../nn/gpt.ts";
import { Random } from "../../../random.ts";
import type { RunSample } from "../../../run/log.ts";
import { generateText } from "../../../sample/generate-text.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import type { Trainer } from "../../../train/trainer.ts";
import type { TrainableKind } from "./kinds/kind.ts";

/** Short enough to take less than a hundredth of a run's time. */
const SAMPLE_TOKENS = 200;
const TEMPERATURE = 0.6;

/** Samples from the model of a run without affecting the training; null if its logits allow no token. */
export async function drawSample({
  trainer,
  kind,
}: {
  readonly trainer: Trainer;
  readonly kind: TrainableKind;
}): Promise<RunSample | null> {
  try {
    const text = await trainer.evaluating(() => kind.sample());
    return { kind: "sample", step: trainer.stepsDone, text };
  } catch (error) {
    // A failed sample does not stop the training: its losses decide about that.
    if (error instanceof LogitsError) return null;
    throw error;
  }
}

/** Continues a prompt with a fixed seed, so samples of a run differ only because the model does. */
export async function writeSample(
  model: GPT,
  tokenizer: Tokenizer,
  prompt: string,
  seed: number,
): Promise<string> {
  let text = "";
  const pieces = generateText(model, tokenizer, prompt, {
    tokens: SAMPLE_TOKENS,
    settings: { temperature: TEMPERATURE },
    random: Random.of(seed, "sample while training"),
    overflow: "slide",
  });
  for await (const piece of pieces) text += piece;
  return text;
}
