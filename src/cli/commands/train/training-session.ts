/** The third step of a training run: it trains, evaluates, samples, saves checkpoints and stops. */
import { join } from "node:path";
import { computedBy } from "../../../backend/names.ts";
import { JobsGivenUp } from "../../../distributed/data-parallel.ts";
import { TrainingError } from "../../../errors.ts";
import { learningRatesAt } from "../../../optim/schedule.ts";
import { restore } from "../../../run/restore.ts";
import { earlierSchedules } from "../../../run/settings-history.ts";
import { dueAfter, saveRun } from "../../../train/saved-state.ts";
import type { StepReport } from "../../../train/trainer.ts";
import { formatLoss, shellWord } from "../../../util/format.ts";
import { nowMs } from "../../terminal/clock.ts";
import type { Terminal } from "../../terminal/output.ts";
import type { StepTimer } from "./eta.ts";
import { explainStop } from "./explain-stop.ts";
import { describeVerdict, judgeRun, pointsOf } from "./judge-run.ts";
import type { EvaluationReport } from "./kinds/kind.ts";
import type { OpenRun } from "./open-run.ts";
import type { TrainFlags } from "./plan-run.ts";
import { announce, announcesAfter, evaluateTogether, type Method } from "./processes/next-task.ts";
import type { Progress } from "./progress.ts";
import { printRunSummary } from "./run-summary.ts";
import { drawSample } from "./samples.ts";
import { Stopped, type StopRequest } from "./stop-request.ts";
import type { MeasuredPoint, Verdict } from "./verdict.ts";

export class TrainingSession {
  readonly #run: OpenRun;
  readonly #terminal: Terminal;
  readonly #progress: Progress;
  readonly #json: boolean;
  readonly #debugNaN: boolean;
  readonly #samples: boolean;
  readonly #stop: StopRequest;
  /** The evaluation of the current weights on the validation set; null after another step. */
  #current: EvaluationReport | null = null;
  /** The measurements of this run, oldest first: of earlier sessions, the best and the latest. */
  readonly #measured: MeasuredPoint[];
  /** Whether the evaluation that is due after the current step is still to be made. */
  #evaluationDue: boolean;

  constructor(run: OpenRun, flags: TrainFlags, terminal: Terminal, progress: Progress, stop: StopRequest) {
    this.#run = run;
    this.#terminal = terminal;
    this.#progress = progress;
    this.#json = flags.json === true;
    this.#debugNaN = flags.debugNan === true;
    this.#samples = flags.samples !== false;
    this.#measured = pointsOf(run.earlyStopping);
    this.#stop = stop;
    this.#evaluationDue = run.evaluationDue;
  }

  /** Trains to the last step, to an early stop, or until it is asked to stop. Returns whether it was asked. */
  async train(): Promise<boolean> {
    const { trainer, config } = this.#run;
    // The pretrained model may change or be removed, so it is saved before anything else.
    if (config.from !== undefined && trainer.stepsDone === 0) await this.#save();
    const timer = await printRunSummary(this.#run, this.#progress);
    this.#stop.listen((reason) => this.#announceStop(reason));
    try {
      await this.#makeSteps(timer);
      await this.#finish();
      return false;
    } catch (error) {
      if (error instanceof TrainingError)
        this.#log({ kind: "verdict", step: trainer.stepsDone, verdict: "diverged", text: error.message });
      if (!(error instanceof Stopped)) throw error;
      await this.#leaveEarly();
      return true;
    } finally {
      this.#stop.ignore();
      this.#progress.end();
    }
  }

  async #makeSteps(timer: StepTimer): Promise<void> {
    const { trainer, earlyStopping, config, ranks } = this.#run;
    const { steps, patience } = config.settings;
    const hasMore = () => trainer.stepsDone < steps && !earlyStopping.isExhausted(patience);
    if (hasMore() || this.#evaluationDue) this.#progress.begin();
    if (this.#evaluationDue) await this.#afterStep();
    const start = trainer.stepsDone;
    for (; hasMore(); await this.#stop.check()) {
      if (announcesAfter(trainer.stepsDone, start, config.settings)) await announce(ranks, "step");
      await this.#step(timer);
    }
    this.#progress.end();
  }

  #announceStop(reason: string | null): void {
    const { stepsDone } = this.#run.trainer;
    // The display ends first: an exit from here on must not leave the terminal without a cursor.
    this.#progress.end();
    if (reason !== null) this.#progress.note(reason);
    this.#progress.note(`saving step ${stepsDone} … (Ctrl-C again exits at once, without saving it)`);
  }

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
    if (this.#run.ranks?.stopRequested) this.#stop.askedElsewhere();
    await this.#afterStep();
    timer.paused(nowMs() - startMs - elapsedMs);
  }

  /** Evaluates, samples and saves, as far as each is due. */
  async #afterStep(): Promise<void> {
    const { config, earlyStopping, trainer } = this.#run;
    const { settings } = config;
    const { stepsDone } = trainer;
    const { evaluates, measures, saves } = dueAfter(stepsDone, settings);
    this.#evaluationDue = evaluates;
    if (measures) await this.#measure();
    else if (evaluates) await this.#estimate();
    else return;
    this.#evaluationDue = false;
    await this.#sample();
    if (saves || (measures && (this.#isBest() || earlyStopping.isExhausted(settings.patience))))
      await this.#save();
  }

  /** Whether the current weights have the lowest validation loss so far. */
  #isBest(): boolean {
    const { trainer, earlyStopping } = this.#run;
    return earlyStopping.best?.step === trainer.stepsDone;
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
  #checkFinite(lossNats: number, split = "validation"): void {
    if (Number.isFinite(lossNats)) return;
    const { trainer } = this.#run;
    throw new TrainingError(
      `training: after step ${trainer.stepsDone} the ${split} loss is ${lossNats}; nothing was saved after the last checkpoint. A lower learning rate (now ${trainer.settings.learningRate}), more warm-up steps or \`gradClip\` 1 usually helps`,
    );
  }

  /** Evaluates with all processes. @throws Stopped if one of the others was asked to stop meanwhile */
  async #evaluate(method: Method): Promise<EvaluationReport> {
    await announce(this.#run.ranks, method);
    try {
      return await evaluateTogether(this.#run, method);
    } catch (error) {
      if (!(error instanceof JobsGivenUp)) throw error;
      this.#stop.askedElsewhere();
      await this.#stop.check();
      throw error;
    }
  }

  /** Estimates the validation loss from a few random batches. */
  async #estimate(): Promise<void> {
    const report = await this.#evaluate("estimate");
    this.#checkFinite(report.evaluation.lossNats);
    this.#report(report, "estimate");
  }

  /** Evaluates on the validation set. */
  async #measure(): Promise<void> {
    const { trainer, kind, earlyStopping, config } = this.#run;
    const { settings } = config;
    this.#progress.busy(`evaluating on ${kind.measured} …`);
    this.#current = await this.#evaluate("measure");
    this.#progress.busy(null);
    this.#checkFinite(this.#current.evaluation.lossNats);
    // The last one is printed at the end.
    if (trainer.stepsDone < settings.steps) this.#report(this.#current);
    else this.#logEvaluation(this.#current);
    earlyStopping.evaluated(trainer.stepsDone, this.#current.evaluation.lossNats);
    if (earlyStopping.latest !== null) this.#measured.push(earlyStopping.latest);
  }

  #report(report: EvaluationReport, kind: "evaluation" | "estimate" = "evaluation"): void {
    this.#logEvaluation(report, kind);
    this.#progress.note(`step ${this.#run.trainer.stepsDone}: ${report.text}`);
  }

  #logEvaluation({ evaluation }: EvaluationReport, kind: "evaluation" | "estimate" = "evaluation"): void {
    const step = this.#run.trainer.stepsDone;
    this.#log({ kind, step, split: "val", ...evaluation });
    this.#progress.evaluated(step, evaluation.lossNats, kind);
  }

  async #save(): Promise<void> {
    const { trainer, ranks, directory, earlyStopping, backend, kind } = this.#run;
    const what = { computedBy: computedBy(backend), covers: kind.covers, evaluationDue: this.#evaluationDue };
    await saveRun({ trainer, ranks, earlyStopping, directory, ...what });
  }

  async #finish(): Promise<void> {
    const { trainer, kind, directory, earlyStopping, config } = this.#run;
    const note = (line?: string) => this.#progress.note(line);
    // A run of no steps saves its initial weights.
    if (directory.latest() === null) {
      await this.#measure();
      await this.#save();
    }
    // Everything is saved: from here on Ctrl-C ends the program at once.
    this.#stop.ignore();
    const stoppedEarly = earlyStopping.isExhausted(config.settings.patience);
    if (stoppedEarly) {
      const { isOverfitting, best } = earlyStopping;
      this.#log({ kind: "early stop", step: trainer.stepsDone, best, isOverfitting });
      for (const line of explainStop(earlyStopping, config.settings, kind)) note(line);
    } else {
      if (this.#current === null) {
        note(`evaluating on ${kind.measured} …`);
        this.#current = await this.#evaluate("measure");
        this.#logEvaluation(this.#current);
      }
      const validationNats = this.#current.evaluation.lossNats;
      if (this.#measured.length === 0)
        this.#measured.push({ step: trainer.stepsDone, validationNats, trainingNats: null });
      note(this.#current.text);
    }
    note();
    const verdict = this.#judge();
    const text = await trainer.evaluating(async () => {
      if (stoppedEarly) this.#restoreBest();
      return kind.show();
    });
    if (this.#json) this.#terminal.json({ kind: "sample", text });
    else this.#terminal.text(`${text.trim()}\n`);
    note();
    for (const line of describeVerdict(verdict, directory.path, config.corpus)) note(line);
    this.#suggest(stoppedEarly);
  }

  /** Logs the verdict on the run. A diverged run fails. */
  #judge(): Verdict {
    const verdict = judgeRun(this.#run, this.#measured, this.#current);
    const { kind, sentences } = verdict;
    this.#log({
      kind: "verdict",
      step: this.#run.trainer.stepsDone,
      verdict: kind,
      text: sentences.join(" "),
    });
    if (kind === "diverged") process.exitCode = 1;
    return verdict;
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
    note(`  npx nopeek verify --model ${folder}`);
    if (!stoppedEarly && this.#gainsFromSteps())
      note(`  npx nopeek train --resume --out ${folder} --steps ${moreSteps}   # longer`);
  }

  /** Whether more steps can help: the last weights are the best, and the learning rate has not ended at 0. */
  #gainsFromSteps(): boolean {
    const { config, trainer } = this.#run;
    const { learningRate } = learningRatesAt(config.settings, earlierSchedules(config), trainer.stepsDone);
    return this.#isBest() && learningRate > 0;
  }

  /** Saves the weights of the last step, which takes the time of one batch: an evaluation could take minutes. */
  async #leaveEarly(): Promise<void> {
    const { trainer, resumeCommand } = this.#run;
    await this.#stop.settle();
    this.#checkFinite(await trainer.evaluating(() => trainer.rehearse()), "training");
    await this.#save();
    this.#progress.note(`stopped after step ${trainer.stepsDone} and saved; resume with`);
    this.#progress.note(`  ${resumeCommand}`);
  }

  #log(entry: { readonly step: number; readonly [field: string]: unknown }): void {
    this.#run.directory.appendLog(entry);
    if (this.#json) this.#terminal.json(entry);
  }
}
