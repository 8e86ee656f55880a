/** `nopeek sample` for models other than a GPT: an encoder fills in blanks, a seq2seq model answers. */
import type { ModelKind } from "../../../config/choices.ts";
import { flagOf } from "../../../config/settings.ts";
import { ConfigError, SampleError } from "../../../errors.ts";
import { Encoder } from "../../../nn/encoder.ts";
import { EncoderDecoder } from "../../../nn/encoder-decoder.ts";
import { padTokens } from "../../../nn/inputs/token-batch.ts";
import type { SavedModel } from "../../../run/saved-model.ts";
import { BLANK, fillBlanks } from "../../../sample/fill-blanks.ts";
import { greedyAnswers } from "../../../sample/greedy-answers.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import type { UnknownPolicy } from "../../../text/unknown.ts";
import type { CommonFlags } from "../../options/settings-flags.ts";
import { encodeKnown, encodeWithBlanks } from "../../options/unknown-characters.ts";
import type { ModelFlags } from "../../shared/find-model.ts";
import { buildOn } from "../../shared/open-model.ts";
import type { Terminal } from "../../terminal/output.ts";

interface OtherFlags extends CommonFlags, ModelFlags {
  readonly prompt?: string | readonly string[] | undefined;
  readonly unknown?: UnknownPolicy;
}

/** Flags that apply here, and flags that have a value even if they were not given. */
const ALLOWED: readonly string[] = [
  "model",
  "step",
  "prompt",
  "unknown",
  "escapes",
  "backend",
  "threads",
  "json",
];
const ALWAYS_SET: readonly string[] = ["tokens", "strategy", "overflow", "seed"];

/**
 * Answers the prompts with a model that is not a GPT.
 *
 * @throws ConfigError if a flag is for GPTs only
 * @throws SampleError if there is no prompt, or one that the model cannot read
 */
export async function sampleOtherKind(
  saved: SavedModel,
  flags: OtherFlags,
  terminal: Terminal,
): Promise<void> {
  const prompts = promptsOf(flags, saved.config.settings.model);
  const { model, tokenizer, backend } = await buildOn(saved, flags, flags.threads ?? 1);
  if (model instanceof Encoder) await fillEach(terminal, model, tokenizer, prompts, flags);
  if (model instanceof EncoderDecoder) await answerAll(terminal, model, tokenizer, prompts, flags);
  await backend.close();
}

function promptsOf(flags: OtherFlags, kind: ModelKind): readonly string[] {
  const refused = Object.entries(flags).flatMap(([name, value]) => {
    const allowed = [...ALLOWED, ...ALWAYS_SET].includes(name) || (name === "echo" && value === true);
    return value === undefined || allowed ? [] : [name];
  });
  if (refused.length > 0) {
    const names = refused.map((name) => `--${flagOf(name)}`).join(", ");
    throw new ConfigError(
      `${names}: only for gpt; ${kind} models always choose the most probable tokens and only need --prompt`,
    );
  }
  if (flags.prompt !== undefined) return [flags.prompt].flat();
  throw new SampleError(
    kind === "encoder"
      ? `an encoder fills in blanks: pass a text with --prompt, with a ${BLANK} for each missing token`
      : "a seq2seq model answers a string: pass one with --prompt",
  );
}

async function fillEach(
  terminal: Terminal,
  model: Encoder,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  flags: OtherFlags,
): Promise<void> {
  for (const prompt of prompts) {
    const known = encodeWithBlanks(model, tokenizer, prompt, flags.unknown, terminal);
    const { ids, blanks } = await fillBlanks(model, known);
    const text = tokenizer.decode(ids);
    if (flags.json) terminal.json({ prompt, text, blanks });
    else terminal.text(`${text}\n`);
  }
}

/** Answers all prompts in one batch, padded to the longest. */
async function answerAll(
  terminal: Terminal,
  model: EncoderDecoder,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  flags: OtherFlags,
): Promise<void> {
  const sources = prompts.map((prompt) => encodeKnown(tokenizer, prompt, flags.unknown, terminal).ids);
  const longest = model.config.contextLength - 1;
  for (const source of sources) {
    if (source.length >= 1 && source.length <= longest) continue;
    throw new SampleError(`this model answers strings of 1 to ${longest} letters: got ${source.length}`);
  }
  const answers = await greedyAnswers(model, padTokens(sources, "right"));
  answers.forEach(({ ids, ended }, i) => {
    const text = tokenizer.decode(ids);
    if (flags.json)
      terminal.json({ prompt: prompts[i], text, tokens: ids, ended: ended ? "end" : "context" });
    else terminal.text(`${text}\n`);
  });
}
