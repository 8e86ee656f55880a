/** The text that a model in training writes. */
import type { GPT } from "../../nn/gpt.ts";
import { Random } from "../../random.ts";
import type { RunConfig } from "../../run/config.ts";
import { defaultPrompt } from "../../run/default-prompt.ts";
import { generateText } from "../../sample/generate-text.ts";

/** Below 1, so that a small model spells mostly right. */
const TEMPERATURE = 0.6;

/** Writes a text from the start of a line, always with the same random numbers. */
export async function writeSample(model: GPT, config: RunConfig, tokens: number): Promise<string> {
  const options = {
    tokens,
    random: Random.of(config.settings.seed, "sample while training"),
    settings: { temperature: TEMPERATURE },
    overflow: "slide",
  } as const;
  const { text: prompt, shown } = defaultPrompt(config);
  let written = shown;
  for await (const piece of generateText(model, config.tokenizer, prompt, options)) written += piece;
  return written;
}
