/** `nopeek train`: trains, shows how it goes, keeps checkpoints, and shows at the end what the model makes. */
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { TrainingError } from "../../../errors.ts";
import { restore, snapshot } from "../../../run/restore.ts";
import type { StepReport } from "../../../train/trainer.ts";
import { formatLoss, shellWord } from "../../../util/format.ts";
import { computedBy } from "../../shared/open-backend.ts";
import { nowMs } from "../../terminal/clock.ts";
import { Terminal } from "../../terminal/output.ts";
import type { StepTimer } from "./eta.ts";
import { explainStop } from "./explain-stop.ts";
import { printRunSummary } from "./introduce.ts";
import type { EvaluationReport } from "./kinds/kind.ts";
import { openProgress } from "./open-progress.ts";
import { type PreparedRun, resumeRun, startRun, type TrainFlags } from "./prepare-run.ts";
import type { Progress } from "./progress.ts";
import { drawSample } from "./samples.ts";

/** What makes a run save and stop, and what the shell is told then, by convention. */
const EXIT_AFTER = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, nobodyReads: 130 } as const;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** npm hands on a Ctrl-C that the terminal has sent already: what comes within this time is the same one. */
const ONE_KEYSTROKE_MS = 300;

/** @param open gives who tells people how it goes */
export async function train(flags: TrainFlags, open = openProgress): Promise<void> {
  const run = flags.resume ? await resumeRun(flags) : await startRun(flags);
  let stop: (reason: keyof typeof EXIT_AFTER) => void = () => {};
  const terminal = new Terminal(() => stop("nobodyReads"));
  const session = new TrainingSession(run, flags, terminal, await open(flags, run, terminal));
  stop = session.stop;
  await session.go();
  run.lock.release();
  await run.backend.close();
}

class TrainingSession {
  readonly #run: PreparedRun;
  readonly #terminal: Terminal;
  readonly #progress: Progress;
  readonly #json: boolean;
  readonly #debugNaN: boolean;
  readonly #samples: boolean;
  /** The last evaluation of the whole split, where no step has been made since. */
  #measured: EvaluationReport | null = null;
  #stopReason: keyof typeof EXIT_AFTER | null = null;

  constructor(run: PreparedRun, flags: TrainFlags, terminal: Terminal, progress: Progress) {
    this.#run = run;
    this.#terminal = terminal;
    this.#progress = progress;
    this.#json = flags.json === true;
    this.#debugNaN = flags.debugNan === true;
    this.#samples = flags.samples !== false;
  }

  async go(): Promise<void> {
    const { trainer, patience } = this.#run;
    const { settings, from } = this.#run.config;
    // What it learns on from may change or go, so it is kept before anything else.
    if (from !== undefined && trainer.stepsDone === 0) await this.#save(false);
    const pace = await printRunSummary(this.#run, this.#progress);
    for (const signal of SIGNALS) process.on(signal, this.stop);
    try {
      const goesOn = () => trainer.stepsDone < settings.steps && !patience.isExhausted(settings.patience);
      if (goesOn()) this.#progress.begin();
      while (goesOn() && this.#stopReason === null) {
        await this.#step(pace);
        // Signals, and pipes that were closed, are noticed in a turn of the event loop and at no other time.
        await nextTurn();
      }
      this.#progress.end();
      if (this.#stopReason !== null) await this.#leaveEarly(this.#stopReason);
      else await this.#finish();
    } finally {
      this.#letSignalsEnd();
      this.#progress.end();
    }
  }

  async #step(pace: StepTimer): Promise<void> {
    const { config, patience, trainer } = this.#run;
    const { settings } = config;
    const startMs = nowMs();
    const report = await this.#makeStep();
    const elapsedMs = nowMs() - startMs;
    pace.stepped(elapsedMs);
    patience.trained(report.lossNats);
    this.#measured = null;

    const { skipped, ...numbers } = report;
    this.#record({ kind: "step", ...numbers, ...(skipped && { skipped }), elapsedMs });
    if (skipped)
      this.#progress.note(
        `step ${report.step}: left out: a gradient norm of ${formatLoss(report.gradientNorm)} is beyond ${settings.skipSpikes} times the recent median`,
      );
    this.#progress.stepped({
      ...report,
      tokensPerSecond: (1000 * trainer.tokensPerStep) / pace.stepMs,
      leftMs: pace.leftMs(settings.steps - report.step),
    });
    await this.#lookUp();
    pace.paused(nowMs() - startMs - elapsedMs);
  }

  /** What is due after a step: evaluations, checkpoints, a look at what the model makes. */
  async #lookUp(): Promise<void> {
    const { config, patience, trainer } = this.#run;
    const { settings } = config;
    const { stepsDone } = trainer;
    const last = stepsDone === settings.steps;
    const evaluates = stepsDone % settings.evalInterval === 0;
    const saves = last || stepsDone % settings.checkpointInterval === 0;
    if (saves || (evaluates && settings.patience > 0)) {
      const best = await this.#measure();
      await this.#sample();
      if (saves || best || patience.isExhausted(settings.patience)) await this.#save(best);
    } else if (evaluates) {
      await this.#estimate();
      await this.#sample();
    }
  }

  /** Shows what the model makes now, and keeps it in the log; unless nobody wants to know. */
  async #sample(): Promise<void> {
    if (!this.#samples) return;
    const sample = await drawSample(this.#run);
    if (sample === null) return;
    this.#record({ ...sample });
    this.#progress.sampled(sample.step, sample.text);
  }

  /** @throws TrainingError when a number is not finite: nothing is saved then */
  async #makeStep(): Promise<StepReport> {
    const { trainer, resumeCommand } = this.#run;
    try {
      return await trainer.step();
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
      const more = this.#debugNaN
        ? await trainer.explainNonFinite()
        : `to see which op it was: ${resumeCommand} --debug-nan`;
      throw new TrainingError(`${error.message}\n${more}`, { cause: error });
    }
  }

  /** Weights that cannot be measured are not kept. */
  #checkFinite({ evaluation }: EvaluationReport): void {
    if (Number.isFinite(evaluation.lossNats)) return;
    const { trainer } = this.#run;
    throw new TrainingError(
      `training: after step ${trainer.stepsDone} the loss on what is held out is ${evaluation.lossNats}; nothing was saved since the checkpoint before. A lower learning rate (now ${trainer.settings.learningRate}), more warm-up steps or --grad-clip 1 usually helps`,
    );
  }

  /** A quick look. */
  async #estimate(): Promise<void> {
    const { trainer, study } = this.#run;
    const told = await trainer.evaluating(() => study.estimate());
    this.#checkFinite(told);
    this.#tell(told);
  }

  /** Evaluates on all that is held out; tells whether it was never better. */
  async #measure(): Promise<boolean> {
    const { trainer, study, patience, config } = this.#run;
    const { settings } = config;
    this.#progress.busy(`measuring ${study.measured} …`);
    this.#measured = await trainer.evaluating(() => study.measure());
    this.#progress.busy(null);
    this.#checkFinite(this.#measured);
    // The last one is told at the end.
    if (trainer.stepsDone < settings.steps) this.#tell(this.#measured);
    else this.#recordEvaluation(this.#measured);
    return patience.evaluated(trainer.stepsDone, this.#measured.evaluation.lossNats);
  }

  #tell(told: EvaluationReport): void {
    this.#recordEvaluation(told);
    this.#progress.note(`step ${this.#run.trainer.stepsDone}: ${told.words}`);
  }

  #recordEvaluation({ evaluation }: EvaluationReport): void {
    const step = this.#run.trainer.stepsDone;
    this.#record({ kind: "evaluation", step, split: "val", ...evaluation });
    this.#progress.evaluated(step, evaluation.lossNats);
  }

  /** @param best whether the model was never better on what is held out */
  async #save(best: boolean): Promise<void> {
    const { trainer, directory, patience, backend } = this.#run;
    await trainer.evaluating(async () =>
      directory.saveStep({
        step: trainer.stepsDone,
        model: await snapshot(trainer.model.parameters()),
        optimizer: await snapshot(trainer.optimizerState()),
        state: { ...patience.toJSON(), ...trainer.toJSON(), computedBy: computedBy(backend) },
        best,
      }),
    );
  }

  async #finish(): Promise<void> {
    const { trainer, study, directory, patience, config } = this.#run;
    const note = (line?: string) => this.#progress.note(line);
    // A run of no steps keeps its first weights.
    if (directory.latest() === null) await this.#save(await this.#measure());
    // All is saved: from here Ctrl-C ends the program as it ends any other.
    this.#letSignalsEnd();
    const stoppedEarly = patience.isExhausted(config.settings.patience);
    if (stoppedEarly) {
      const { isOverfitting, best } = patience;
      this.#record({ kind: "early stop", step: trainer.stepsDone, best, isOverfitting });
      for (const line of explainStop(patience, config.settings)) note(line);
    } else {
      if (this.#measured === null) {
        note(`measuring ${study.measured} …`);
        this.#measured = await trainer.evaluating(() => study.measure());
        this.#recordEvaluation(this.#measured);
      }
      note(this.#measured.words);
    }
    note();
    const text = await trainer.evaluating(async () => {
      if (stoppedEarly) this.#recallBest();
      return study.show();
    });
    if (this.#json) this.#terminal.json({ kind: "sample", text });
    else this.#terminal.write(`${text.trim()}\n`);
    this.#suggest(stoppedEarly);
  }

  /** Fills the model with the best weights that were saved: those that are used from now on. */
  #recallBest(): void {
    const { trainer, directory } = this.#run;
    const { name, model } = directory.loadStep("best");
    restore(trainer.model.parameters(), model, join(directory.path, name, "model.safetensors"));
  }

  #suggest(stoppedEarly: boolean): void {
    const { config, study, path } = this.#run;
    const folder = shellWord(path);
    const moreSteps = Math.max(2 * config.settings.steps, 100);
    const note = (line?: string) => this.#progress.note(line);
    note();
    note("next:");
    for (const command of study.suggestions(folder)) note(`  ${command}`);
    if (!stoppedEarly) note(`  npx nopeek train --resume --out ${folder} --steps ${moreSteps}   (longer)`);
    note("  npx nopeek train --data your-own.txt");
  }

  async #leaveEarly(reason: keyof typeof EXIT_AFTER): Promise<void> {
    const { trainer, resumeCommand } = this.#run;
    await pause(ONE_KEYSTROKE_MS);
    this.#letSignalsEnd();
    await this.#estimate();
    await this.#save(false);
    this.#progress.note(`stopped after step ${trainer.stepsDone} and saved; go on with`);
    this.#progress.note(`  ${resumeCommand}`);
    process.exitCode = EXIT_AFTER[reason];
  }

  /** Called between steps. The run saves where it is and ends; a second Ctrl-C ends it at once. */
  readonly stop = (reason: keyof typeof EXIT_AFTER): void => {
    if (this.#stopReason !== null) return;
    this.#stopReason = reason;
    const { stepsDone } = this.#run.trainer;
    // At rest before anything can end the program: a terminal without a cursor would be left.
    this.#progress.end();
    this.#progress.note(`saving step ${stepsDone} … (Ctrl-C again leaves at once, without saving it)`);
  };

  /** Signals end the program again, even in the middle of a step. */
  #letSignalsEnd(): void {
    for (const signal of SIGNALS) process.off(signal, this.stop);
  }

  #record(entry: { readonly step: number; readonly [field: string]: unknown }): void {
    this.#run.directory.appendLog(entry);
    if (this.#json) this.#terminal.json(entry);
  }
}
