/** `nopeek train`: trains, shows how it goes, keeps checkpoints, and shows at the end what the model makes. */
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { TrainingError } from "../errors.ts";
import { countNumbers } from "../nn/parameters.ts";
import { restore, snapshot } from "../train/restore.ts";
import type { StepReport } from "../train/trainer.ts";
import { explainStop } from "./explain-stop.ts";
import { formatCount, formatDuration, formatLoss, median, plural, shellWord } from "./format.ts";
import { computedBy } from "./open-backend.ts";
import { type PreparedRun, resumeRun, startRun, type TrainFlags } from "./prepare-run.ts";
import { drawSample } from "./run-samples.ts";
import type { Told } from "./studies/study.ts";
import { Terminal } from "./terminal.ts";

/** What makes a run save and stop, and what the shell is told then, by convention. */
const EXIT_AFTER = { SIGINT: 130, SIGTERM: 143, nobodyReads: 130 } as const;
/** Tokens for each parameter: with fewer, learning by heart is what lowers the loss. */
const FEW_TOKENS = 0.5;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** npm hands on a Ctrl-C that the terminal has sent already: what comes within this time is the same one. */
const ONE_KEYSTROKE_MS = 300;
/** Where nobody watches live, a line is printed this many times between two evaluations. */
const LINES_BETWEEN_EVALUATIONS = 5;

export async function train(flags: TrainFlags): Promise<void> {
  const run = flags.resume ? await resumeRun(flags) : await startRun(flags);
  await new TrainingSession(run, flags).go();
  run.lock.release();
  await run.backend.close();
}

class TrainingSession {
  readonly #run: PreparedRun;
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #debugNaN: boolean;
  /** The last evaluation of the whole split, where no step has been made since. */
  #measured: Told | null = null;
  #stopReason: keyof typeof EXIT_AFTER | null = null;
  /** Of the last few steps, for the rate that is shown. */
  #stepMs: number[] = [];

  constructor(run: PreparedRun, flags: TrainFlags) {
    this.#run = run;
    this.#terminal = new Terminal(() => this.#stop("nobodyReads"));
    this.#json = flags.json === true;
    this.#debugNaN = flags.debugNan === true;
  }

  async go(): Promise<void> {
    const { trainer, patience } = this.#run;
    const { settings, from } = this.#run.config;
    // What it learns on from may change or go, so it is kept before anything else.
    if (from !== undefined && trainer.stepsDone === 0) await this.#save(false);
    await this.#introduce();
    for (const signal of SIGNALS) process.on(signal, this.#stop);
    try {
      const goesOn = () => trainer.stepsDone < settings.steps && !patience.isExhausted(settings.patience);
      while (goesOn() && this.#stopReason === null) {
        await this.#step();
        // Signals, and pipes that were closed, are noticed in a turn of the event loop and at no other time.
        await nextTurn();
      }
      if (this.#stopReason !== null) await this.#leaveEarly(this.#stopReason);
      else await this.#finish();
    } finally {
      this.#letSignalsEnd();
      this.#terminal.clearStatus();
    }
  }

  async #step(): Promise<void> {
    const { config, patience } = this.#run;
    const { settings } = config;
    const startMs = performance.now();
    const report = await this.#makeStep();
    const elapsedMs = performance.now() - startMs;
    this.#stepMs = [...this.#stepMs.slice(-49), elapsedMs];
    patience.trained(report.lossNats);
    this.#measured = null;

    const last = report.step === settings.steps;
    const evaluates = report.step % settings.evalInterval === 0;
    const saves = last || report.step % settings.checkpointInterval === 0;
    const { skipped, ...numbers } = report;
    this.#record({ kind: "step", ...numbers, ...(skipped && { skipped }), elapsedMs });
    if (skipped)
      this.#terminal.note(
        `step ${report.step}: left out: a gradient norm of ${formatLoss(report.gradientNorm)} is beyond ${settings.skipSpikes} times the recent median`,
      );
    this.#terminal.status(this.#progressLine(report.step, report.lossNats));
    const every = Math.ceil(Math.min(settings.evalInterval, settings.steps) / LINES_BETWEEN_EVALUATIONS);
    if (!this.#terminal.live && (report.step % every === 0 || last || report.step === 1)) {
      this.#terminal.note(this.#progressLine(report.step, report.lossNats));
    }
    if (saves || (evaluates && settings.patience > 0)) {
      const best = await this.#measure();
      await this.#sample();
      if (saves || best || patience.isExhausted(settings.patience)) await this.#save(best);
    } else if (evaluates) {
      await this.#estimate();
      await this.#sample();
    }
  }

  /** Keeps in the log what the model makes now. */
  async #sample(): Promise<void> {
    const sample = await drawSample(this.#run);
    if (sample !== null) this.#record({ ...sample });
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
  #checkFinite({ evaluation }: Told): void {
    if (Number.isFinite(evaluation.lossNats)) return;
    const { trainer } = this.#run;
    throw new TrainingError(
      `training: after step ${trainer.stepsDone} the loss on what is held out is ${evaluation.lossNats}; nothing was saved since the checkpoint before. A lower learning rate (now ${trainer.settings.learningRate}), more warm-up steps or --grad-clip 1 usually helps`,
    );
  }

  #progressLine(step: number, lossNats: number): string {
    const { settings } = this.#run.config;
    const stepMs = median(this.#stepMs);
    const rate = formatCount((1000 * this.#run.trainer.tokensPerStep) / stepMs);
    const left = formatDuration((settings.steps - step) * stepMs);
    return `step ${step}/${settings.steps}  loss ${formatLoss(lossNats)}  ${rate} tokens/s  ${left} left`;
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
    this.#terminal.status(`measuring ${study.measured} …`);
    this.#measured = await trainer.evaluating(() => study.measure());
    this.#checkFinite(this.#measured);
    // The last one is told at the end.
    if (trainer.stepsDone < settings.steps) this.#tell(this.#measured);
    else this.#recordEvaluation(this.#measured);
    return patience.evaluated(trainer.stepsDone, this.#measured.evaluation.lossNats);
  }

  #tell(told: Told): void {
    this.#recordEvaluation(told);
    this.#terminal.note(`step ${this.#run.trainer.stepsDone}: ${told.words}`);
  }

  #recordEvaluation({ evaluation }: Told): void {
    this.#record({
      kind: "evaluation",
      step: this.#run.trainer.stepsDone,
      split: "val",
      ...evaluation,
    });
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

  /** What is about to happen, and how long it will take, measured. */
  async #introduce(): Promise<void> {
    const { trainer, config, study, path, backend, savedBy } = this.#run;
    const { settings } = config;
    const note = (line: string) => this.#terminal.note(line);
    const parameters = countNumbers(trainer.model.parameters());
    for (const line of study.sources) note(line);
    note(
      `model       ${plural(settings.layers, "layer")}, ${plural(settings.heads, "head")}, ${settings.dModel} channels, ${study.reach}: ${formatCount(parameters)} parameters`,
    );
    if (study.learnsFrom !== null) {
      const each = study.learnsFrom / parameters;
      note(`            ${each.toPrecision(2)} tokens to learn from for each parameter`);
      if (each < FEW_TOKENS)
        note(
          "warning     so few that the model can learn them by heart: more text, a smaller model, --dropout or --patience helps",
        );
    }
    note(
      `training    ${plural(settings.steps, "step")} of ${formatCount(trainer.tokensPerStep)} tokens, on ${computedBy(backend)}`,
    );
    note(`kept in     ${path}`);
    if (config.from !== undefined) note(`learns on   from the model in ${config.from}`);
    if (study.remark !== null) note(study.remark);
    const left = settings.steps - trainer.stepsDone;
    if (trainer.stepsDone > 0) {
      const all = left === 0 ? ", its last: there is nothing left to train; --steps makes it longer" : "";
      note(`resumed     after step ${trainer.stepsDone}${all}`);
      if (savedBy !== null && savedBy !== computedBy(backend))
        note(`            other bits than without the stop: until now it ran on ${savedBy}`);
    }
    if (left > 0)
      note(`takes       about ${formatDuration(await this.#estimateMs(left))} here, by the time of a step`);
    note("");
  }

  /** The whole run's time, from steps that are timed and thrown away. */
  async #estimateMs(steps: number): Promise<number> {
    const { trainer, config, study } = this.#run;
    const { settings } = config;
    const times: number[] = [];
    // The first few are slow, until the machine has warmed to the work.
    for (let spentMs = 0; times.length < 4 || (spentMs < 200 && times.length < 50); ) {
      const startMs = performance.now();
      await trainer.rehearse();
      times.push(performance.now() - startMs);
      spentMs += times[times.length - 1];
    }
    const stepMs = Math.min(...times) * settings.gradAccumulation;
    this.#stepMs = [stepMs];
    // A forward pass alone is about a third of a step's work.
    const msPerToken = stepMs / trainer.tokensPerStep / 3;
    const evaluations = Math.ceil(steps / settings.evalInterval);
    const saves = Math.ceil(steps / settings.checkpointInterval);
    const { estimate, measure } = study.tokens;
    const evaluated = evaluations * (settings.patience > 0 ? measure : estimate) + saves * measure;
    return steps * stepMs + evaluated * msPerToken;
  }

  async #finish(): Promise<void> {
    const { trainer, study, directory, patience, config } = this.#run;
    // A run of no steps keeps its first weights.
    if (directory.latest() === null) await this.#save(await this.#measure());
    // All is saved: from here Ctrl-C ends the program as it ends any other.
    this.#letSignalsEnd();
    const stoppedEarly = patience.isExhausted(config.settings.patience);
    if (stoppedEarly) {
      const { isOverfitting, best } = patience;
      this.#record({ kind: "early stop", step: trainer.stepsDone, best, isOverfitting });
      for (const line of explainStop(patience, config.settings)) this.#terminal.note(line);
    } else {
      if (this.#measured === null) {
        this.#terminal.note(`measuring ${study.measured} …`);
        this.#measured = await trainer.evaluating(() => study.measure());
        this.#recordEvaluation(this.#measured);
      }
      this.#terminal.note(this.#measured.words);
    }
    this.#terminal.note("");
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
    this.#terminal.note("");
    this.#terminal.note("next:");
    for (const command of study.suggestions(folder)) this.#terminal.note(`  ${command}`);
    if (!stoppedEarly)
      this.#terminal.note(`  npx nopeek train --resume --out ${folder} --steps ${moreSteps}   (longer)`);
    this.#terminal.note("  npx nopeek train --data your-own.txt");
  }

  async #leaveEarly(reason: keyof typeof EXIT_AFTER): Promise<void> {
    const { trainer, resumeCommand } = this.#run;
    await pause(ONE_KEYSTROKE_MS);
    this.#letSignalsEnd();
    await this.#estimate();
    await this.#save(false);
    this.#terminal.note(`stopped after step ${trainer.stepsDone} and saved; go on with`);
    this.#terminal.note(`  ${resumeCommand}`);
    process.exitCode = EXIT_AFTER[reason];
  }

  /** Called between steps. The run saves where it is and ends; a second Ctrl-C ends it at once. */
  readonly #stop = (reason: keyof typeof EXIT_AFTER): void => {
    if (this.#stopReason !== null) return;
    this.#stopReason = reason;
    const { stepsDone } = this.#run.trainer;
    this.#terminal.note(`saving step ${stepsDone} … (Ctrl-C again leaves at once, without saving it)`);
  };

  /** Signals end the program again, even in the middle of a step. */
  #letSignalsEnd(): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
  }

  #record(entry: { readonly step: number; readonly [field: string]: unknown }): void {
    this.#run.directory.appendLog(entry);
    if (this.#json) this.#terminal.json(entry);
  }
}
