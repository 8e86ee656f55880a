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
import type { RunConfig } from "../../../run/config.ts";
import { defaultPrompt } from "../../../run/default-prompt.ts";
import type { RunSample } from "../../../run/log.ts";
import { generate } from "../../../sample/generate.ts";
import { PLAIN_SAMPLING } from "../../../sample/generate-text.ts";
import type { Trainer } from "../../../train/trainer.ts";
import { showDocuments } from "../../shared/show-documents.ts";
import type { TrainableKind } from "./kinds/kind.ts";

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

/**
 * Writes a text from a boundary of the training text on, with a fixed seed, so samples of a run differ only because the
 * model does.
 *
 * @param purpose labels the random stream
 */
export async function writeSample(
  model: GPT,
  config: RunConfig,
  tokens: number,
  purpose: string,
): Promise<string> {
  const { tokenizer, settings } = config;
  const prompt = defaultPrompt(config);
  const ids: number[] = [];
  const choices = generate(model, prompt.ids, {
    tokens,
    settings: { ...PLAIN_SAMPLING, temperature: TEMPERATURE },
    random: Random.of(settings.seed, purpose),
    overflow: "slide",
  });
  for await (const { token } of choices) ids.push(token);
  return prompt.shown + showDocuments(tokenizer, ids, settings.documents);
}
