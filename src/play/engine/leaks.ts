/** The leak detector: one token changes, and the logits of all positions are compared bit for bit. */
import { ConfigError } from "../../errors.ts";
import { logitsOf } from "../../verify/logits.ts";
import type { MaskMode } from "../masks.ts";
import type { Engine } from "./engine.ts";
import type { ModelName } from "./model-names.ts";
import { withMask } from "./with-mask.ts";

export interface LeaksRequest {
  readonly model: ModelName;
  readonly text: string;
  /** Of the changed character; the last one if the text is shorter. */
  readonly position: number;
  /** The character that replaces it. */
  readonly replacement: string;
  readonly masks: readonly MaskMode[];
}

export interface Leaks {
  readonly tokens: readonly string[];
  /** The number of tokens of the text that did not fit. */
  readonly leftOut: number;
  readonly position: number;
  /** V, the logits of a position. */
  readonly vocabulary: number;
  readonly layers: number;
  readonly counts: readonly LeakCount[];
}

export interface LeakCount {
  readonly mask: MaskMode;
  /** For each position, the logits that changed by even one bit. */
  readonly changed: readonly number[];
}

/** Longer texts are not legible. */
const MOST_TOKENS = 32;

/**
 * @throws ConfigError for an empty text or replacement
 * @throws TokenError for a character outside the model's vocabulary
 */
export async function leaks(engine: Engine, request: LeaksRequest): Promise<Leaks> {
  const { model, tokenizer } = await engine.viewed(request.model);
  const { contextLength, vocabSize, layers } = model.config;
  const all = Array.from(tokenizer.encode(request.text));
  if (all.length === 0) throw new ConfigError("type a text of at least one character");
  const [replacement] = tokenizer.encode(request.replacement);
  if (replacement === undefined) throw new ConfigError("type a character to put in place of the chosen one");
  const before = all.slice(0, Math.min(MOST_TOKENS, contextLength));
  const position = Math.min(request.position, before.length - 1);
  const after = before.with(position, replacement);
  const counts: LeakCount[] = [];
  for (const mask of request.masks) {
    const changed = await withMask(model, mask, async () => {
      const { values } = await logitsOf(model, [before]);
      const { values: others } = await logitsOf(model, [after]);
      return before.map((_, t) => {
        const row = values.subarray(t * vocabSize, (t + 1) * vocabSize);
        return row.filter((logit, id) => !Object.is(logit, others[t * vocabSize + id])).length;
      });
    });
    counts.push({ mask, changed });
  }
  const tokens = before.map((id) => tokenizer.decode([id]));
  return { tokens, leftOut: all.length - before.length, position, vocabulary: vocabSize, layers, counts };
}
