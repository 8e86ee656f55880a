import { expect, it } from "vitest";
import { OPEN_KIND } from "../../src/cli/commands/train/kinds/index.ts";
import { tokensPerStep } from "../../src/config/count-tokens.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { doubleContext } from "../support/contexts.ts";
import { tokenized } from "../support/tokenized.ts";

it.each(["gpt", "encoder", "seq2seq"] as const)(
  "counts the tokens that the trainer of a %s uses per step",
  async (model) => {
    const settings = resolveSettings({
      ...{ model, layers: 1, heads: 2, dModel: 6, contextLength: 13, batchSize: 3, gradAccumulation: 5 },
      ...{ alphabetSize: 4, minLength: 2, maxLength: 7 },
    });
    const { tokenizer, text } = await tokenized(settings, "the cat sat on the mat. ".repeat(20));
    const kind = await OPEN_KIND[model](doubleContext(), { settings, tokenizer, corpus: null }, text);
    const trainer = new Trainer(kind.model, kind.objective, settings);
    expect(tokensPerStep(settings)).toBe(trainer.tokensPerStep);
  },
);
