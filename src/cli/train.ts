/** `nopeek train`: trains, shows how it goes, keeps checkpoints, and lets the model write at the end. */
import { relative } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { countNumbers } from "../nn/parameters.ts";
import { Random } from "../random.ts";
import { generate } from "../sample/generate.ts";
import { type Evaluation, estimateLoss, wholeLoss } from "../train/evaluate.ts";
import { snapshot } from "../train/restore.ts";
import { entropyFloor, TALES_NAME, TALES_PATH } from "./corpus-file.ts";
import { formatCount, formatDuration, formatLoss, median, plural, shellWord } from "./format.ts";
import { type PreparedRun, resumeRun, startRun, type TrainFlags } from "./prepare-run.ts";
import { Terminal } from "./terminal.ts";

/** What makes a run save and stop, and what the shell is told then, by convention. */
const EXIT_AFTER = { SIGINT: 130, SIGTERM: 143, nobodyReads: 130 } as const;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** npm hands on a Ctrl-C that the terminal has sent already: what comes within this time is the same one. */
const ONE_KEYSTROKE_MS = 300;
const SAMPLE_TOKENS = 400;
/** Where nobody watches live, a line is printed this many times between two evaluations. */
const LINES_BETWEEN_EVALUATIONS = 5;

export async function train(flags: TrainFlags): Promise<void> {
  const run = flags.resume ? await resumeRun(flags) : await startRun(flags);
  await new TrainingSession(run, flags.json === true).go();
  await run.backend.close();
}

class TrainingSession {
  readonly #run: PreparedRun;
  readonly #terminal: Terminal;
  readonly #json: boolean;
  #floor: number | null = null;
  #bestLossNats: number;
  #stopReason: keyof typeof EXIT_AFTER | null = null;
  /** Of the last few steps, for the rate that is shown. */
  #stepMs: number[] = [];

  constructor(run: PreparedRun, json: boolean) {
    this.#run = run;
    this.#terminal = new Terminal(() => this.#stop("nobodyReads"));
    this.#json = json;
    this.#bestLossNats = run.bestLossNats;
  }

  async go(): Promise<void> {
    const { trainer } = this.#run;
    const { settings } = this.#run.config;
    this.#floor = await entropyFloor(this.#run.corpus.sha256);
    await this.#introduce();
    for (const signal of SIGNALS) process.on(signal, this.#stop);
    try {
      while (trainer.stepsDone < settings.steps && this.#stopReason === null) {
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
    const { trainer, config } = this.#run;
    const { settings } = config;
    const startMs = performance.now();
    const report = await trainer.step();
    const elapsedMs = performance.now() - startMs;
    this.#stepMs = [...this.#stepMs.slice(-49), elapsedMs];

    const last = report.step === settings.steps;
    const evaluates = report.step % settings.evalInterval === 0;
    const saves = last || report.step % settings.checkpointInterval === 0;
    this.#record({ kind: "step", ...report, elapsedMs });
    this.#terminal.status(this.#progressLine(report.step, report.lossNats));
    const every = Math.ceil(Math.min(settings.evalInterval, settings.steps) / LINES_BETWEEN_EVALUATIONS);
    if (!this.#terminal.live && (report.step % every === 0 || last || report.step === 1)) {
      this.#terminal.note(this.#progressLine(report.step, report.lossNats));
    }
    if (evaluates || saves) {
      const estimate = await this.#estimate(report.step);
      if (saves) await this.#save(estimate.lossNats);
    }
  }

  #progressLine(step: number, lossNats: number): string {
    const { settings } = this.#run.config;
    const stepMs = median(this.#stepMs);
    const rate = formatCount((1000 * this.#run.trainer.tokensPerStep) / stepMs);
    const left = formatDuration((settings.steps - step) * stepMs);
    return `step ${step}/${settings.steps}  loss ${formatLoss(lossNats)}  ${rate} tokens/s  ${left} left`;
  }

  async #estimate(step: number): Promise<Evaluation> {
    const { trainer, split, config } = this.#run;
    const { evalBatches, batchSize, seed } = config.settings;
    const options = { batches: evalBatches, batchSize, seed };
    const evaluation = await estimateLoss(trainer.model, split.validation, options);
    this.#record({ kind: "evaluation", step, split: "val", ...evaluation });
    this.#terminal.note(
      `step ${step}: validation loss about ${formatLoss(evaluation.lossNats)}${this.#besideFloor()} (estimate: ${formatCount(evaluation.tokens)} tokens in random windows)`,
    );
    return evaluation;
  }

  #besideFloor(): string {
    return this.#floor === null ? "" : `, floor ${formatLoss(this.#floor)}`;
  }

  async #save(lossNats: number): Promise<void> {
    const { trainer, directory } = this.#run;
    const best = lossNats <= this.#bestLossNats;
    if (best) this.#bestLossNats = lossNats;
    directory.saveStep({
      step: trainer.stepsDone,
      model: await snapshot(trainer.model.parameters()),
      optimizer: await snapshot(trainer.optimizerState()),
      state: { bestLossNats: this.#bestLossNats, validationLossNats: lossNats },
      best,
    });
  }

  /** What is about to happen, and how long it will take, measured. */
  async #introduce(): Promise<void> {
    const { trainer, config, corpus, split, path, backend } = this.#run;
    const { settings, tokenizer } = config;
    const note = (line: string) => this.#terminal.note(line);
    const text = corpus.path === TALES_PATH ? TALES_NAME : corpus.path;
    const parameters = countNumbers(trainer.model.parameters());
    note(`corpus      ${text}: ${formatCount(config.corpus.characters)} characters`);
    note(
      `split       ${formatCount(split.train.length)} tokens to learn from, the last ${formatCount(split.validation.length)} held out; ${tokenizer.vocabSize} different ones`,
    );
    note(
      `model       ${plural(settings.layers, "layer")}, ${plural(settings.heads, "head")}, ${settings.dModel} channels, context ${settings.contextLength}: ${formatCount(parameters)} parameters`,
    );
    note(
      `training    ${plural(settings.steps, "step")} of ${formatCount(trainer.tokensPerStep)} tokens, on ${backend.name}`,
    );
    note(`kept in     ${path}`);
    if (this.#floor !== null)
      note(
        `floor       ${formatLoss(this.#floor)} nats: what the text's own grammar leaves open; no model can go below without peeking`,
      );
    const left = settings.steps - trainer.stepsDone;
    if (trainer.stepsDone > 0) {
      const all = left === 0 ? ", its last: there is nothing left to train; --steps makes it longer" : "";
      note(`resumed     after step ${trainer.stepsDone}${all}`);
    }
    if (left > 0)
      note(`takes       about ${formatDuration(await this.#estimateMs(left))} here, by the time of a step`);
    note("");
  }

  /** The whole run's time, from steps that are timed and thrown away. */
  async #estimateMs(steps: number): Promise<number> {
    const { trainer, config, split } = this.#run;
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
    const evaluated =
      evaluations * settings.evalBatches * settings.batchSize * settings.contextLength +
      split.validation.length;
    return steps * stepMs + evaluated * msPerToken;
  }

  async #finish(): Promise<void> {
    const { trainer, ids, split, directory } = this.#run;
    // A run of no steps keeps its first weights.
    if (directory.latest() === null) await this.#save((await this.#estimate(0)).lossNats);
    // All is saved: from here Ctrl-C ends the program as it ends any other.
    this.#letSignalsEnd();
    this.#terminal.note("measuring the whole validation split …");
    const range = { start: split.boundary, end: ids.length };
    const evaluation = await wholeLoss(trainer.model, ids, range);
    this.#record({ kind: "evaluation", step: trainer.stepsDone, split: "val", ...evaluation });
    const above =
      this.#floor === null
        ? ""
        : `, ${(100 * (evaluation.lossNats / this.#floor - 1)).toFixed(1)} % above the floor`;
    this.#terminal.note(
      `validation loss ${formatLoss(evaluation.lossNats)} nats${above} (whole split: ${formatCount(evaluation.tokens)} tokens, each predicted once)`,
    );
    this.#terminal.note("");
    await this.#showSample();
    this.#suggest();
  }

  async #showSample(): Promise<void> {
    const { trainer, config } = this.#run;
    const { tokenizer, settings } = config;
    const start = tokenizer.kind === "byte" ? [10] : Array.from(tokenizer.encode(firstCharacter(this.#run)));
    const decoder = tokenizer.decoder();
    let text = "";
    const stream = generate(trainer.model, start, {
      tokens: SAMPLE_TOKENS,
      settings: { strategy: "sample", temperature: 0.6, topK: null, topP: null },
      random: Random.of(settings.seed, "sample"),
      overflow: "slide",
    });
    for await (const id of stream) text += decoder.push(id);
    text += decoder.end();
    if (this.#json) this.#terminal.json({ kind: "sample", text });
    else this.#terminal.write(`${text.trim()}\n`);
  }

  #suggest(): void {
    const { config, corpus, path } = this.#run;
    const folder = shellWord(path);
    const data = shellWord(corpus.path === TALES_PATH ? relative(".", TALES_PATH) : corpus.path);
    const moreSteps = Math.max(2 * config.settings.steps, 100);
    this.#terminal.note("");
    this.#terminal.note("next:");
    this.#terminal.note(`  npx nopeek sample --model ${folder} --prompt "…"`);
    this.#terminal.note(`  npx nopeek eval --model ${folder} --data ${data}`);
    this.#terminal.note(`  npx nopeek train --resume --out ${folder} --steps ${moreSteps}   (longer)`);
    this.#terminal.note("  npx nopeek train --data your-own.txt");
  }

  async #leaveEarly(reason: keyof typeof EXIT_AFTER): Promise<void> {
    const { trainer, split, config, resumeCommand } = this.#run;
    const { evalBatches, batchSize, seed } = config.settings;
    await pause(ONE_KEYSTROKE_MS);
    this.#letSignalsEnd();
    const options = { batches: evalBatches, batchSize, seed };
    const { lossNats } = await estimateLoss(trainer.model, split.validation, options);
    await this.#save(lossNats);
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

/** A character to start from: a line break where the text has one. */
function firstCharacter({ corpus }: PreparedRun): string {
  return corpus.text.includes("\n") ? "\n" : String.fromCodePoint(corpus.text.codePointAt(0) ?? 10);
}
