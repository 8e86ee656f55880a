/** The lesson of section 1: one model trained twice, with the mask and without it, beside the run in training. */

import { resolveSettings } from "../../config/settings.ts";
import { type Outcome, teachLeakage } from "../../lesson/leakage.ts";
import { LEAKAGE_PROMPT, LEAKAGE_SAMPLE_TOKENS, LEAKAGE_SETTINGS } from "../../lesson/leakage-settings.ts";
import { log } from "../../math.ts";
import type { ComparedModel, ComparisonState } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { perEngine } from "./per-engine.ts";
import { Turns } from "./queue.ts";
import { fitToText, type PlayText } from "./text.ts";

/** The seed of `nopeek lesson leakage`. */
const SEED = 1337;
/** Progress is shown at most this often. */
const REPORT_MS = 100;

/** The person stopped it. */
class Stopped extends Error {}

export class Comparison {
  readonly #engine: Engine;
  #isRunning = false;
  #isStopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Trains both models, a step at a time, while other questions are answered. Emits its progress and its result. */
  start(steps: number = LEAKAGE_SETTINGS.steps): void {
    if (this.#isRunning) return;
    [this.#isRunning, this.#isStopped] = [true, false];
    void this.#run(steps);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(steps: number): Promise<void> {
    const { host, queue } = this.#engine;
    const turns = new Turns(queue);
    let reported = host.now();
    this.#report({ kind: "running", step: 0, steps: 2 * steps });
    try {
      const text = this.#engine.ownText ?? (await this.#engine.tales());
      await turns.take();
      const lesson = await this.#teach(text, steps, async (done) => {
        turns.give();
        if (this.#isStopped) throw new Stopped();
        if (host.now() - reported >= REPORT_MS) {
          this.#report({ kind: "running", step: done, steps: 2 * steps });
          reported = host.now();
        }
        await host.pause();
        await turns.take();
      });
      const { withMask, withoutMask } = lesson;
      const { floorNats, tokenizer, isOwn } = text;
      const rest = { floorNats, blindGuessNats: log(tokenizer.vocabSize), isOwnText: isOwn, steps };
      this.#report({ kind: "done", withMask: shown(withMask), withoutMask: shown(withoutMask), ...rest });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#report(error instanceof Stopped ? { kind: "stopped" } : { kind: "failed", message });
    } finally {
      turns.give();
      this.#isRunning = false;
    }
  }

  #teach(text: PlayText, steps: number, onStep: (done: number) => Promise<void>) {
    const { tokenizer, ids, split, record } = text;
    const { contextLength } = fitToText(resolveSettings(LEAKAGE_SETTINGS), text);
    return teachLeakage({
      ...{ backend: this.#engine.backend, tokenizer, ids, split, steps, seed: SEED },
      prompt: text.isOwn ? (record.start ?? "") : LEAKAGE_PROMPT,
      sampleTokens: LEAKAGE_SAMPLE_TOKENS,
      changes: { contextLength },
      onStep: (which, step) => onStep(which === "with mask" ? step : steps + step),
    });
  }

  #report(state: ComparisonState): void {
    this.#engine.host.emit({ kind: "comparison", state });
  }
}

function shown({ lossNats, leftOnlyNats, sample }: Outcome): ComparedModel {
  return { lossNats, leftOnlyNats, sample };
}

/** The comparison of an engine. */
export const comparisonOf = perEngine((engine) => new Comparison(engine));
