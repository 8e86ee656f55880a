/** What each preset is for, as `--help` says. It is apart from the presets for the same reason as setting-help.ts. */
import type { PresetName } from "./presets.ts";

export const PRESET_HELP: Readonly<Record<PresetName, string>> = {
  tales: "the embedded tales, in a minute or two on a laptop",
  "shakespeare-cpu": "nanoGPT's CPU settings for tiny Shakespeare; the corpus is not included",
  "gpt2-style":
    "GPT-2-style architecture at nanoGPT's CPU sizes; AdamW with a learning rate for small models",
  modern: "newer techniques at the same sizes; reaches a lower loss from the same tokens",
  "modern-portable":
    "modern without the bigram embedding: the architecture of Qwen3, which other programs can run",
  "llama-style": "the architecture of Llama, which most other programs can run, with modern's training",
  blanks: "an encoder that fills in blanks in the embedded tales",
  reverse: "an encoder-decoder that reverses strings without mistakes",
  sort: "an encoder-decoder that sorts the letters of strings without mistakes",
  tiny: "about 4,000 parameters: small enough to inspect every number and train in seconds",
};
