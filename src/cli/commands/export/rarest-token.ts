/** Finds the token that a model writes least often, by its own predictions: an export has no training text. */
import { Context } from "../../../autograd/context.ts";
import { openBackend } from "../../../backend/open.ts";
import { ConfigError } from "../../../errors.ts";
import { exp } from "../../../math.ts";
import { GPT } from "../../../nn/gpt.ts";
import { Random } from "../../../random.ts";
import { defaultPrompt } from "../../../run/default-prompt.ts";
import { buildSavedModel, type SavedModel } from "../../../run/saved-model.ts";
import { generate } from "../../../sample/generate.ts";
import { PLAIN_SAMPLING } from "../../../sample/generate-text.ts";
import { fullLogits } from "../../../sample/logits.ts";
import { largestOf } from "../../../util/extremes.ts";

const TEXTS = 8;
const LONGEST = 256;

/**
 * The token with the smallest mean probability over texts that the model writes; the same for every call.
 *
 * @throws ConfigError if the model is not a GPT
 */
export async function rarestToken(saved: SavedModel): Promise<{ id: number; probability: number }> {
  const backend = await openBackend("wasm");
  try {
    const { model, config } = buildSavedModel(new Context(backend), saved);
    if (!(model instanceof GPT)) throw new ConfigError("only a gpt predicts the next token");
    const prompt = defaultPrompt(config).ids;
    const sums = new Float64Array(model.config.vocabSize);
    let positions = 0;
    for (let text = 0; text < TEXTS; text++) {
      positions += addProbabilities(await fullLogits(model, await write(model, prompt, text)), sums);
    }
    const id = sums.indexOf(sums.reduce((least, sum) => Math.min(least, sum)));
    return { id, probability: sums[id] / positions };
  } finally {
    await backend.close();
  }
}

/** A text as ids, as long as the context if that is not too long. */
async function write(model: GPT, prompt: Int32Array, seed: number): Promise<readonly number[]> {
  const length = Math.min(model.config.contextLength, LONGEST);
  const ids = Array.from(prompt).slice(-length);
  const options = {
    settings: PLAIN_SAMPLING,
    random: Random.of(seed, "rarest token"),
    overflow: "stop",
  } as const;
  for await (const { token } of generate(model, prompt, { ...options, tokens: length - ids.length }))
    ids.push(token);
  return ids;
}

/** Adds the probabilities of each position to `sums`. @returns the number of positions */
function addProbabilities(logits: Float64Array, sums: Float64Array): number {
  const size = sums.length;
  for (let start = 0; start < logits.length; start += size) {
    const row = logits.subarray(start, start + size);
    const largest = largestOf(row);
    const weights = Array.from(row, (logit) => exp(logit - largest));
    const total = weights.reduce((sum, weight) => sum + weight);
    weights.forEach((weight, id) => {
      sums[id] += weight / total;
    });
  }
  return logits.length / size;
}
