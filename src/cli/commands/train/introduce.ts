/** What `nopeek train` says before the first step: what is about to happen, and how long it will take, measured. */
import { countNumbers } from "../../../nn/parameters.ts";
import { formatCount, formatDuration, formatRatio, plural } from "../../../util/format.ts";
import { computedBy } from "../../shared/open-backend.ts";
import { nowMs } from "../../terminal/clock.ts";
import { StepTimer } from "./eta.ts";
import type { PreparedRun } from "./prepare-run.ts";
import type { Progress } from "./progress.ts";

/** Tokens for each parameter: with fewer, learning by heart is what lowers the loss. */
const FEW_TOKENS = 0.5;

/** @returns how fast it will go, by what was measured */
export async function printRunSummary(run: PreparedRun, progress: Progress): Promise<StepTimer> {
  const { trainer, config, study, path, backend, savedBy } = run;
  const { settings } = config;
  const note = (line: string) => progress.note(line);
  const parameters = countNumbers(trainer.model.parameters());
  for (const line of study.sources) note(line);
  note(
    `model       ${plural(settings.layers, "layer")}, ${plural(settings.heads, "head")}, ${settings.dModel} channels, ${study.shapeSummary}: ${formatCount(parameters)} parameters`,
  );
  if (study.learnsFrom !== null) {
    const each = study.learnsFrom / parameters;
    note(`            ${formatRatio(each)} tokens to learn from for each parameter`);
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
  const stepMs = left > 0 ? await timeStep(run) : 0;
  if (left > 0)
    note(`takes       about ${formatDuration(wholeMs(run, left, stepMs))} here, by the time of a step`);
  note("");
  return new StepTimer(stepMs);
}

/** The time of a step, from steps that are timed and thrown away. */
async function timeStep({ trainer, config }: PreparedRun): Promise<number> {
  const times: number[] = [];
  // The first few are slow, until the machine has warmed to the work.
  for (let spentMs = 0; times.length < 4 || (spentMs < 200 && times.length < 50); ) {
    const startMs = nowMs();
    await trainer.rehearse();
    times.push(nowMs() - startMs);
    spentMs += times[times.length - 1];
  }
  return Math.min(...times) * config.settings.gradAccumulation;
}

/** The time of the whole run, evaluations included. */
function wholeMs({ trainer, config, study }: PreparedRun, steps: number, stepMs: number): number {
  const { settings } = config;
  // A forward pass alone is about a third of a step's work.
  const msPerToken = stepMs / trainer.tokensPerStep / 3;
  const evaluations = Math.ceil(steps / settings.evalInterval);
  const saves = Math.ceil(steps / settings.checkpointInterval);
  const { estimate, measure } = study.tokens;
  const evaluated = evaluations * (settings.patience > 0 ? measure : estimate) + saves * measure;
  return steps * stepMs + evaluated * msPerToken;
}
