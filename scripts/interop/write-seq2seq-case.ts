/** Writes the folder of an encoder–decoder: a run, what nopeek computes with it, and its export. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { padTokens } from "../../src/nn/inputs/token-batch.ts";
import { Random } from "../../src/random.ts";
import { loadModel } from "../../src/run/on-disk.ts";
import { greedyAnswers } from "../../src/sample/greedy-answers.ts";
import type { Case } from "./cases.ts";
import { disturb, nopeek } from "./train-run.ts";

const TRAINING = "--threads 1 --no-samples";
const ROWS = 8;
const QUESTIONS = 50;

/** What `case.json` holds. */
export interface Seq2SeqCaseFile {
  readonly name: string;
  /** The number of tokens that nopeek scores. */
  readonly scores: number;
  /** Sources, and the decoder's inputs for each, for the logits. */
  readonly sources: readonly (readonly number[])[];
  readonly inputs: readonly (readonly number[])[];
  /** Strings of different lengths, and nopeek's greedy answers; `ids` end with [end] unless the context was full. */
  readonly questions: readonly QuestionAndAnswer[];
}

interface QuestionAndAnswer {
  readonly source: string;
  readonly sourceIds: readonly number[];
  readonly ids: readonly number[];
  readonly text: string;
}

/** Trains an encoder–decoder and writes its folder. */
export async function writeSeq2SeqCase({ name, flags }: Case, folder: string): Promise<void> {
  const path = join(folder, "run");
  await nopeek("train", ...`${TRAINING} ${flags}`.split(" "), "--out", path);
  disturb(path);
  const backend = await openBackend("wasm");
  try {
    const { model, tokenizer } = loadModel(new Context(backend), path);
    if (!(model instanceof EncoderDecoder)) throw new Error(`${name} is no encoder–decoder`);
    const random = Random.of(7, "interop", name);
    const { contextLength, vocabSize } = model.config;
    const letters = (length: number) => Array.from({ length }, () => random.below(vocabSize));
    const sources = Array.from({ length: ROWS }, () => letters(contextLength - 1));
    const inputs = sources.map(() => [model.startId, ...letters(contextLength - 1)]);
    const logits = await model.context.scope("no-grad", () =>
      model.forward({ ids: sources.flat(), batchSize: ROWS }, { ids: inputs.flat(), batchSize: ROWS }).read(),
    );
    const questions = Array.from({ length: QUESTIONS }, (_, i) => letters(1 + (i % (contextLength - 1))));
    const answers = await greedyAnswers(model, padTokens(questions, "right"));
    const json: Seq2SeqCaseFile = {
      name,
      scores: vocabSize + 1,
      sources,
      inputs,
      questions: answers.map(({ ids, ended }, i) => ({
        source: tokenizer.decode(questions[i]),
        sourceIds: questions[i],
        ids: ended ? [...ids, model.endId] : ids,
        text: tokenizer.decode(ids),
      })),
    };
    writeFileSync(join(folder, "case.json"), JSON.stringify(json));
    writeFileSync(join(folder, "logits.f32"), new Uint8Array(Float32Array.from(logits).buffer));
  } finally {
    await backend.close();
  }
  await nopeek("export", path, "--format", "hf", "--out", join(folder, "hf"));
}
