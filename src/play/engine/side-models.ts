/** The models that section 7 trains beside the run: an encoder that fills in blanks, and an encoder–decoder. */
import { Context } from "../../autograd/context.ts";
import { PRESETS } from "../../config/presets.ts";
import { resolveSettings } from "../../config/settings.ts";
import { evaluateAnswers } from "../../evaluate/exact-match.ts";
import { Encoder } from "../../nn/encoder.ts";
import { MaskSwitchEncoderDecoder } from "../../nn/mask-switch-encoder-decoder.ts";
import { Random } from "../../random.ts";
import { gptConfigOf } from "../../run/config.ts";
import { argmax } from "../../sample/candidates.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";
import { MaskedToken } from "../../train/objectives/masked-token.ts";
import { SequenceToSequence } from "../../train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../train/objectives/toy-task.ts";
import { Trainer } from "../../train/trainer.ts";
import type { Measured } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import { perEngine } from "./per-engine.ts";
import { type SideModel, SideTraining } from "./side-training.ts";

/** Good results after 10 to 20 seconds of one thread of a laptop. */
const BLANKS_SETTINGS = { layers: 1, contextLength: 32, positions: "rotary", steps: 1500 } as const;
const LETTERS = "abcdefghij";
const ANSWER_SETTINGS = { alphabetSize: LETTERS.length, layers: 1, steps: 800, warmupSteps: 50 } as const;

/** Blanks or strings in a measurement. */
const MEASURED = 200;

export interface AnswerModel extends SideModel<MaskSwitchEncoderDecoder> {
  readonly task: ToyTask;
}

export class SideModels {
  readonly encoder: SideTraining<SideModel<Encoder>>;
  readonly answers: SideTraining<AnswerModel>;

  constructor(engine: Engine) {
    this.encoder = new SideTraining("encoder", engine, () => openEncoder(engine));
    this.answers = new SideTraining("answers", engine, async () => openAnswers(engine));
  }
}

/** The side models of an engine. */
export const sideModelsOf = perEngine((engine) => new SideModels(engine));

/** An encoder for the tales. */
async function openEncoder(engine: Engine): Promise<SideModel<Encoder>> {
  const { tokenizer, split } = await engine.tales();
  const settings = resolveSettings(PRESETS.blanks.settings, BLANKS_SETTINGS);
  const shape = gptConfigOf(settings, tokenizer.vocabSize);
  const model = new Encoder(new Context(engine.backend), shape, Random.of(settings.seed, "weights"));
  const trainer = new Trainer(model, new MaskedToken(model, split.train, settings), settings);
  return {
    ...{ model, tokenizer, trainer },
    // An encoder has no causal mask, so the switch does not apply.
    step: async () => (await trainer.step()).lossNats,
    measure: () => measureBlanks(model, split.validation),
  };
}

/** Fills in one blank in the middle of each of some windows of a text. */
async function measureBlanks(model: Encoder, ids: Int32Array): Promise<Measured> {
  const { contextLength, vocabSize } = model.config;
  const middle = contextLength >> 1;
  const windows = Array.from({ length: MEASURED }, (_, b) => {
    const start = Math.floor((b * (ids.length - contextLength)) / MEASURED);
    return ids.slice(start, start + contextLength);
  });
  const truth = windows.map((window) => window[middle]);
  for (const window of windows) window[middle] = model.maskId;
  const batch = { ids: windows.flatMap((window) => Array.from(window)), batchSize: MEASURED };
  const logits = await model.context.scope("no-grad", () => model.forward(batch).read());
  const right = truth.filter((id, b) => {
    const at = (b * contextLength + middle) * vocabSize;
    return argmax(logits.subarray(at, at + vocabSize)) === id;
  });
  return { right: right.length, of: MEASURED };
}

/** An encoder–decoder that reverses strings. */
function openAnswers(engine: Engine): AnswerModel {
  const settings = resolveSettings(PRESETS.reverse.settings, ANSWER_SETTINGS);
  const task = new ToyTask(settings);
  const tokenizer = new CharTokenizer(LETTERS);
  const model = new MaskSwitchEncoderDecoder(
    new Context(engine.backend),
    gptConfigOf(settings, tokenizer.vocabSize),
    Random.of(settings.seed, "weights"),
  );
  const trainer = new Trainer(model, new SequenceToSequence(model, task, settings.batchSize), settings);
  const examples = task.heldOut(MEASURED);
  const step = async () => {
    model.maskMatrix = maskMatrixOf(engine.mask);
    return (await trainer.step()).lossNats;
  };
  const measure = async () => {
    const { exact, strings } = await evaluateAnswers(model, examples);
    return { right: exact, of: strings };
  };
  return { model, tokenizer, trainer, task, step, measure };
}
