/** `nopeek logits`: a model's prediction at every position, with full-precision logits in JSON. */
import { ConfigError } from "../../errors.ts";
import { Encoder } from "../../nn/encoder.ts";
import { EncoderDecoder } from "../../nn/encoder-decoder.ts";
import type { GPT } from "../../nn/gpt.ts";
import { candidatesOf, probabilitiesOf } from "../../sample/candidates.ts";
import { BLANK, encoderLogits } from "../../sample/fill-blanks.ts";
import { cachedLogits, fullLogits } from "../../sample/logits.ts";
import { mostProbable } from "../../sample/strategies.ts";
import { showToken } from "../../text/show-token.ts";
import type { UnknownPolicy } from "../../text/unknown.ts";
import { promptTexts } from "../options/prompts.ts";
import type { CommonFlags } from "../options/settings-flags.ts";
import { encodeKnown, encodeWithBlanks } from "../options/unknown-characters.ts";
import type { ModelFlags } from "../shared/find-model.ts";
import { buildOn, readModel } from "../shared/open-model.ts";
import { Terminal } from "../terminal/output.ts";

interface LogitsFlags extends CommonFlags, ModelFlags {
  readonly prompt: string;
  readonly escapes?: boolean;
  readonly cached?: boolean;
  readonly unknown?: UnknownPolicy;
}

export async function logits(word: string | undefined, flags: LogitsFlags): Promise<void> {
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  const opened = await buildOn(saved, flags, flags.threads ?? 1);
  const { model, tokenizer, backend } = opened;
  if (model instanceof EncoderDecoder) {
    throw new ConfigError(
      `${saved.path}: a seq2seq model scores an answer given a source, but logits reads a single text; use nopeek sample`,
    );
  }
  if (model instanceof Encoder && flags.cached) {
    throw new ConfigError(
      "--cached: an encoder has no KV cache, because every position depends on the tokens after it",
    );
  }
  const [prompt] = promptTexts([flags.prompt], flags.escapes);
  const ids =
    model instanceof Encoder
      ? encodeWithBlanks(model, tokenizer, prompt, flags.unknown, terminal)
      : encodeKnown(tokenizer, prompt, flags.unknown, terminal).ids;
  const rows = await rowsOf(model, ids, flags.cached === true);

  if (flags.json) {
    terminal.json({ tokens: Array.from(ids), logits: rows });
  } else {
    terminal.note(
      model instanceof Encoder
        ? "each token and the model's most probable token at its position:"
        : "each token and the most probable next token:",
    );
    rows.forEach((row, t) => {
      const candidates = candidatesOf(row);
      const next = mostProbable(candidates);
      const share = 100 * probabilitiesOf(candidates)[candidates.ids.indexOf(next)];
      const [seen, guess] = [ids[t], next].map((id) =>
        id < tokenizer.vocabSize ? showToken(tokenizer, id) : BLANK,
      );
      terminal.write(`${seen.padEnd(8)} ${guess.padEnd(8)} ${share.toFixed(1).padStart(6)}%\n`);
    });
  }
  await backend.close();
}

/** The logits at each position. */
async function rowsOf(model: GPT | Encoder, ids: ArrayLike<number>, cached: boolean): Promise<number[][]> {
  if (model instanceof Encoder) return encoderLogits(model, Array.from(ids));
  const flat = await (cached ? cachedLogits(model, ids) : fullLogits(model, ids));
  const { vocabSize } = model.config;
  return Array.from(ids, (_, t) => Array.from(flat.subarray(t * vocabSize, (t + 1) * vocabSize)));
}
