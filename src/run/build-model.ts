/** Builds the model of a run: a GPT, an encoder or an encoder–decoder. */
import type { Context } from "../autograd/context.ts";
import type { Settings } from "../config/settings.ts";
import { Encoder } from "../nn/encoder.ts";
import { EncoderDecoder } from "../nn/encoder-decoder.ts";
import { GPT } from "../nn/gpt.ts";
import type { Random } from "../random.ts";
import { gptConfigOf } from "./config.ts";

/** A model of any kind. */
export type Model = GPT | Encoder | EncoderDecoder;

/** Builds the model that the settings describe, with random weights. */
export function buildModel(context: Context, settings: Settings, vocabSize: number, random: Random): Model {
  const config = gptConfigOf(settings, vocabSize);
  switch (settings.model) {
    case "gpt":
      return new GPT(context, config, random);
    case "encoder":
      return new Encoder(context, config, random);
    case "seq2seq":
      return new EncoderDecoder(context, config, random);
  }
}
