/** `nopeek logits`: the scores behind every choice, in full precision. */
import { candidatesOf, probabilitiesOf } from "../sample/candidates.ts";
import { cachedLogits, fullLogits } from "../sample/logits.ts";
import { best } from "../sample/strategies.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { CommonFlags } from "./flags.ts";
import { openModel } from "./open-model.ts";
import { Terminal } from "./terminal.ts";

interface LogitsFlags extends CommonFlags {
  readonly model: string;
  readonly prompt: string;
  readonly cached?: boolean;
}

export async function logits(flags: LogitsFlags): Promise<void> {
  const terminal = new Terminal();
  const { model, tokenizer, backend } = await openModel(flags.model, flags.backend, flags.threads ?? 1);
  const ids = tokenizer.encode(flags.prompt);
  const flat = await (flags.cached ? cachedLogits(model, ids) : fullLogits(model, ids));
  const { vocabSize } = model.config;
  const rows = Array.from(ids, (_, t) => Array.from(flat.subarray(t * vocabSize, (t + 1) * vocabSize)));

  if (flags.json) {
    terminal.json({ tokens: Array.from(ids), logits: rows });
  } else {
    terminal.note("after each token, the most probable next one:");
    rows.forEach((row, t) => {
      const candidates = candidatesOf(row);
      const next = best(candidates);
      const share = 100 * probabilitiesOf(candidates)[candidates.ids.indexOf(next)];
      const [seen, guess] = [ids[t], next].map((id) => show(tokenizer, id));
      terminal.write(`${seen.padEnd(8)} ${guess.padEnd(8)} ${share.toFixed(1).padStart(5)} %\n`);
    });
  }
  await backend.close();
}

/** A token as a person can read it; of bytes, those that are no character alone stand as 0xc3. */
function show(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.kind === "byte" && id > 0x7f) return `0x${id.toString(16)}`;
  return JSON.stringify(tokenizer.decode([id]));
}
