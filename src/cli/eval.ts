/** `nopeek eval`: a model's loss on a text, every token of the split predicted once. */
import { DataError } from "../errors.ts";
import type { TokenizerData } from "../text/tokenizer.ts";
import { splitCorpus } from "../train/corpus.ts";
import { wholeLoss } from "../train/evaluate.ts";
import { entropyFloor, readCorpus } from "./corpus-file.ts";
import { type CommonFlags, threadsOf } from "./flags.ts";
import { formatCount, formatLoss } from "./format.ts";
import { openModel } from "./open-model.ts";
import { Terminal } from "./terminal.ts";

interface EvalFlags extends CommonFlags {
  readonly model: string;
  readonly data: string;
  readonly split: "train" | "val" | "all";
}

export async function evaluate(flags: EvalFlags): Promise<void> {
  const terminal = new Terminal();
  const { model, tokenizer, backend } = await openModel(flags.model, flags.backend, threadsOf(flags));
  const corpus = await readCorpus(flags.data);
  const ids = tokenizer.encode(corpus.text);
  const range = rangeOf(flags.split, ids);
  const { lossNats, tokens, method } = await wholeLoss(model, ids, range);
  if (tokens === 0) {
    throw new DataError(
      `${flags.data}: its split "${flags.split}" has no character to predict; use a longer text`,
    );
  }
  const chars = countCharacters(ids.subarray(range.end - tokens, range.end), tokenizer.kind);
  const bitsPerChar = (lossNats * tokens) / chars / Math.LN2;

  if (flags.json) {
    const { contextLength } = model.config;
    terminal.json({ lossNats, bitsPerChar, chars, tokens, split: flags.split, method, contextLength });
  } else {
    const floor = flags.split === "val" ? await entropyFloor(corpus.sha256) : null;
    terminal.write(`loss ${formatLoss(lossNats)} nats a token, ${bitsPerChar.toFixed(4)} bits a character\n`);
    terminal.note(
      `over the ${method} "${flags.split}": ${formatCount(chars)} characters, each predicted once, in windows of ${model.config.contextLength}`,
    );
    if (floor !== null)
      terminal.note(`the floor, which no model can go below without peeking: ${formatLoss(floor)}`);
  }
  await backend.close();
}

function rangeOf(split: EvalFlags["split"], ids: Int32Array): { start: number; end: number } {
  const { boundary } = splitCorpus(ids);
  return {
    start: split === "val" ? boundary : 0,
    end: split === "train" ? boundary : ids.length,
  };
}

/** Characters among token ids; of UTF-8, every byte counts that does not continue a character. */
function countCharacters(ids: Int32Array, kind: TokenizerData["kind"]): number {
  return kind === "char"
    ? ids.length
    : ids.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
}
