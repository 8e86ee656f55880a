/** The kinds of model that `nopeek train` can train. */
import type { ModelKind } from "../../../../config/choices.ts";
import type { RunConfig } from "../../../../run/config.ts";
import { ToyTask } from "../../../../train/objectives/toy-task.ts";
import { openEncoder } from "./encoder.ts";
import { openGPT } from "./gpt.ts";
import type { OpenKind } from "./kind.ts";
import { openSeq2Seq } from "./seq2seq.ts";
import { checkTextLength, type TextLength } from "./text.ts";

export const OPEN_KIND: Readonly<Record<ModelKind, OpenKind>> = {
  gpt: openGPT,
  encoder: openEncoder,
  seq2seq: openSeq2Seq,
};

/**
 * Checks that the data suffices, before anything is allocated.
 *
 * @param length of the text; null if there is none
 * @throws DataError when the text is too short for a window
 * @throws ConfigError when a seq2seq task has too few different strings
 */
export function checkKind({ settings }: Pick<RunConfig, "settings">, length: TextLength | null): void {
  if (settings.model === "seq2seq") new ToyTask(settings);
  else checkTextLength(length ?? { tokens: 0, boundary: null }, settings.contextLength);
}
