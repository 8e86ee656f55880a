/**
 * Samples over time: at each evaluation of a run its model writes a little, which the log keeps beside the losses:
 *
 *   {"kind":"sample","step":1000,"text":"…"}
 *
 * A resume takes back what was logged after the step that it goes on from (see run-log.ts), samples as all else.
 */
import { z } from "zod";
import { LogitsError } from "../../../errors.ts";
import type { GPT } from "../../../nn/gpt.ts";
import { Random } from "../../../random.ts";
import type { LogEntry } from "../../../run/log.ts";
import { generateText } from "../../../sample/generate-text.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import type { PreparedRun } from "./prepare-run.ts";

export interface RunSample {
  readonly kind: "sample";
  /** Updates made when it was written. */
  readonly step: number;
  /** What the model wrote, without the prompt. */
  readonly text: string;
}

/** Little enough to cost less than a hundredth of a run. */
const SAMPLE_TOKENS = 200;
const TEMPERATURE = 0.6;

const sampleRecord = z.object({ kind: z.literal("sample"), step: z.number(), text: z.string() });

/** What the model of a run makes now; null where its weights can choose no token. Changes nothing of the training. */
export async function drawSample({
  trainer,
  study,
}: Pick<PreparedRun, "trainer" | "study">): Promise<RunSample | null> {
  try {
    const text = await trainer.evaluating(() => study.sample());
    return { kind: "sample", step: trainer.stepsDone, text };
  } catch (error) {
    // A sample is for looking at: whether the training can go on is for its losses to say.
    if (error instanceof LogitsError) return null;
    throw error;
  }
}

/**
 * A model goes on from a fixed prompt. Its randomness is the same each time: where two samples of a run differ, the
 * model has changed and nothing else.
 */
export async function writeSample(
  model: GPT,
  tokenizer: Tokenizer,
  prompt: string,
  seed: number,
): Promise<string> {
  let text = "";
  const pieces = generateText(model, tokenizer, prompt, {
    tokens: SAMPLE_TOKENS,
    settings: { temperature: TEMPERATURE },
    random: Random.of(seed, "sample while training"),
    overflow: "slide",
  });
  for await (const piece of pieces) text += piece;
  return text;
}

/** The samples that a log holds, oldest first; of two at one step, the later. */
export function samplesOf(records: readonly LogEntry[]): RunSample[] {
  const samples = new Map<number, RunSample>();
  for (const record of records) {
    const sample = sampleRecord.safeParse(record).data;
    if (sample !== undefined) samples.set(sample.step, sample);
  }
  return [...samples.values()].sort((a, b) => a.step - b.step);
}
