/** The third step of a training run: it trains, evaluates, samples, saves checkpoints and stops. */
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { TrainingError } from "../../../errors.ts";
import { restore, snapshot } from "../../../run/restore.ts";
import type { StepReport } from "../../../train/trainer.ts";
import { formatLoss, shellWord } from "../../../util/format.ts";
import { computedBy } from "../../shared/open-backend.ts";
import { nowMs } from "../../terminal/clock.ts";
import type { Terminal } from "../../terminal/output.ts";
import type { StepTimer } from "./eta.ts";
import { explainStop } from "./explain-stop.ts";
import type { EvaluationReport } from "./kinds/kind.ts";
import type { OpenRun } from "./open-run.ts";
import type { TrainFlags } from "./plan-run.ts";
import type { Progress } from "./progress.ts";
import { printRunSummary } from "./run-summary.ts";
import { drawSample } from "./samples.ts";

/** Why a run stops before its end, and the exit code that follows by convention. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, "output closed": 130 } as const;
export type StopReason = keyof typeof EXIT_CODES;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** npm forwards a Ctrl-C that the terminal has already sent: a second signal within this time is the same one. */
const ONE_KEYSTROKE_MS = 300;

export class TrainingSession {
  readonly #run: OpenRun;
  readonly #terminal: Terminal;
  readonly #progress: Progress;
  readonly #json: boolean;
  readonly #debugNaN: boolean;
  readonly #samples: boolean;
  /** The evaluation of the current weights on the validation set; null after another step. */
  #current: EvaluationReport | null = null;
  #stopReason: StopReason | null = null;

  constructor(run: OpenRun, flags: TrainFlags, terminal: Terminal, progress: Progress) {
    this.#run = run;
    this.#terminal = terminal;
    this.#progress = progress;
    this.#json = flags.json === true;
    this.#debugNaN = flags.debugNan === true;
    this.#samples = flags.samples !== false;
  }

  /** Trains to the last step, to an early stop, or until `stop` is called. */
  async train(): Promise<void> {
    const { trainer, earlyStopping } = this.#run;
    const { settings, from } = this.#run.config;
    // The pretrained model may change or be removed, so it is saved before anything else.
    if (from !== undefined && trainer.stepsDone === 0) await this.#save(false);
    const timer = await printRunSummary(this.#run, this.#progress);
    for (const signal of SIGNALS) process.on(signal, this.stop);
    try {
      const hasMore = () =>
        trainer.stepsDone < settings.steps && !earlyStopping.isExhausted(settings.patience);
      if (hasMore()) this.#progress.begin();
      while (hasMore() && this.#stopReason === null) {
        await this.#step(timer);
        // Signals and closed pipes arrive only in a turn of the event loop.
        await nextTurn();
      }
      this.#progress.end();
      if (this.#stopReason !== null) await this.#leaveEarly(this.#stopReason);
      else await this.#finish();
    } finally {
      this.#restoreSignals();
      this.#progress.end();
    }
  }

  /** Saves and ends the run after the current step. After a second Ctrl-C the program exits at once. */
  readonly stop = (reason: StopReason): void => {
    if (this.#stopReason !== null) return;
    this.#stopReason = reason;
    const { stepsDone } = this.#run.trainer;
    // The display ends first: an exit from here on must not leave the terminal without a cursor.
    this.#progress.end();
    this.#progress.note(`saving step ${stepsDone} … (Ctrl-C again exits at once, without saving it)`);
  };

  async #step(timer: StepTimer): Promise<void> {
    const { config, earlyStopping, trainer } = this.#run;
    const { settings } = config;
    const startMs = nowMs();
    const report = await this.#makeStep();
    const elapsedMs = nowMs() - startMs;
    timer.stepped(elapsedMs);
    earlyStopping.trained(report.lossNats);
    this.#current = null;

    const { skipped, ...numbers } = report;
    this.#log({ kind: "step", ...numbers, ...(skipped && { skipped }), elapsedMs });
    if (skipped)
      this.#progress.note(
        `step ${report.step}: skipped: the gradient norm ${formatLoss(report.gradientNorm)} exceeds ${settings.skipSpikes} times the recent median`,
      );
    this.#progress.stepped({
      ...report,
      tokensPerSecond: (1000 * trainer.tokensPerStep) / timer.stepMs,
      leftMs: timer.leftMs(settings.steps - report.step),
    });
    await this.#afterStep();
    timer.paused(nowMs() - startMs - elapsedMs);
  }

  /** Evaluates, samples and saves, as far as each is due. */
  async #afterStep(): Promise<void> {
    const { config, earlyStopping, trainer } = this.#run;
    const { settings } = config;
    const { stepsDone } = trainer;
    const last = stepsDone === settings.steps;
    const evaluates = stepsDone % settings.evalInterval === 0;
    const saves = last || stepsDone % settings.checkpointInterval === 0;
    if (saves || (evaluates && settings.patience > 0)) {
      const best = await this.#measure();
      await this.#sample();
      if (saves || best || earlyStopping.isExhausted(settings.patience)) await this.#save(best);
    } else if (evaluates) {
      await this.#estimate();
      await this.#sample();
    }
  }

  /** Shows a sample of the model and logs it, unless samples are turned off. */
  async #sample(): Promise<void> {
    if (!this.#samples) return;
    const sample = await drawSample(this.#run);
    if (sample === null) return;
    this.#log({ ...sample });
    this.#progress.sampled(sample.step, sample.text);
  }

  /** @throws TrainingError when a number is not finite; nothing is saved then */
  async #makeStep(): Promise<StepReport> {
    const { trainer, resumeCommand } = this.#run;
    try {
      return await trainer.step();
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      const more = this.#debugNaN
        ? await trainer.explainNonFinite()
        : `to find the op: ${resumeCommand} --debug-nan`;
      throw new TrainingError(`${error.message}\n${more}`, { cause: error });
    }
  }

  /** Weights without a finite loss are not saved. */
  #checkFinite({ evaluation }: EvaluationReport): void {
    if (Number.isFinite(evaluation.lossNats)) return;
    const { trainer } = this.#run;
    throw new TrainingError(
      `training: after step ${trainer.stepsDone} the validation loss is ${evaluation.lossNats}; nothing was saved after the last checkpoint. A lower learning rate (now ${trainer.settings.learningRate}), more warm-up steps or \`gradClip\` 1 usually helps`,
    );
  }

  /** Estimates the validation loss from a few random batches. */
  async #estimate(): Promise<void> {
    const { trainer, kind } = this.#run;
    const report = await trainer.evaluating(() => kind.estimate());
    this.#checkFinite(report);
    this.#report(report);
  }

  /** Evaluates on the validation set. Returns whether the loss is the lowest so far. */
  async #measure(): Promise<boolean> {
    const { trainer, kind, earlyStopping, config } = this.#run;
    const { settings } = config;
    this.#progress.busy(`evaluating on ${kind.measured} …`);
    this.#current = await trainer.evaluating(() => kind.measure());
    this.#progress.busy(null);
    this.#checkFinite(this.#current);
    // The last one is printed at the end.
    if (trainer.stepsDone < settings.steps) this.#report(this.#current);
    else this.#logEvaluation(this.#current);
    return earlyStopping.evaluated(trainer.stepsDone, this.#current.evaluation.lossNats);
  }

  #report(report: EvaluationReport): void {
    this.#logEvaluation(report);
    this.#progress.note(`step ${this.#run.trainer.stepsDone}: ${report.text}`);
  }

  #logEvaluation({ evaluation }: EvaluationReport): void {
    const step = this.#run.trainer.stepsDone;
    this.#log({ kind: "evaluation", step, split: "val", ...evaluation });
    this.#progress.evaluated(step, evaluation.lossNats);
  }

  /** @param best whether the validation loss is the lowest so far */
  async #save(best: boolean): Promise<void> {
    const { trainer, directory, earlyStopping, backend } = this.#run;
    await trainer.evaluating(async () =>
      directory.saveStep({
        step: trainer.stepsDone,
        model: await snapshot(trainer.model.parameters()),
        optimizer: await snapshot(trainer.optimizerState()),
        state: { ...earlyStopping.toJSON(), ...trainer.toJSON(), computedBy: computedBy(backend) },
        best,
      }),
    );
  }

  async #finish(): Promise<void> {
    const { trainer, kind, directory, earlyStopping, config } = this.#run;
    const note = (line?: string) => this.#progress.note(line);
    // A run of no steps saves its initial weights.
    if (directory.latest() === null) await this.#save(await this.#measure());
    // Everything is saved: from here on Ctrl-C ends the program at once.
    this.#restoreSignals();
    const stoppedEarly = earlyStopping.isExhausted(config.settings.patience);
    if (stoppedEarly) {
      const { isOverfitting, best } = earlyStopping;
      this.#log({ kind: "early stop", step: trainer.stepsDone, best, isOverfitting });
      for (const line of explainStop(earlyStopping, config.settings)) note(line);
    } else {
      if (this.#current === null) {
        note(`evaluating on ${kind.measured} …`);
        this.#current = await trainer.evaluating(() => kind.measure());
        this.#logEvaluation(this.#current);
      }
      note(this.#current.text);
    }
    note();
    const text = await trainer.evaluating(async () => {
      if (stoppedEarly) this.#restoreBest();
      return kind.show();
    });
    if (this.#json) this.#terminal.json({ kind: "sample", text });
    else this.#terminal.write(`${text.trim()}\n`);
    this.#suggest(stoppedEarly);
  }

  /** Loads the best checkpoint into the model: the one that sampling uses from now on. */
  #restoreBest(): void {
    const { trainer, directory } = this.#run;
    const { name, model } = directory.loadStep("best");
    restore(trainer.model.parameters(), model, join(directory.path, name, "model.safetensors"));
  }

  #suggest(stoppedEarly: boolean): void {
    const { config, kind, path } = this.#run;
    const folder = shellWord(path);
    const moreSteps = Math.max(2 * config.settings.steps, 100);
    const note = (line?: string) => this.#progress.note(line);
    note();
    note("next:");
    for (const command of kind.suggestions(folder)) note(`  ${command}`);
    if (!stoppedEarly) note(`  npx nopeek train --resume --out ${folder} --steps ${moreSteps}   (longer)`);
    note("  npx nopeek train --data your-own.txt");
  }

  async #leaveEarly(reason: StopReason): Promise<void> {
    const { trainer, resumeCommand } = this.#run;
    await pause(ONE_KEYSTROKE_MS);
    this.#restoreSignals();
    await this.#estimate();
    await this.#save(false);
    this.#progress.note(`stopped after step ${trainer.stepsDone} and saved; resume with`);
    this.#progress.note(`  ${resumeCommand}`);
    process.exitCode = EXIT_CODES[reason];
  }

  /** From here on a signal ends the program at once, even in the middle of a step. */
  #restoreSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.stop);
  }

  #log(entry: { readonly step: number; readonly [field: string]: unknown }): void {
    this.#run.directory.appendLog(entry);
    if (this.#json) this.#terminal.json(entry);
  }
}
