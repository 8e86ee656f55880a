/** What `nopeek train` prints before the first step: the data, the model, and the estimated time. */

import { computedBy, nameOf } from "../../../backend/names.ts";
import { countNumbers } from "../../../nn/parameters.ts";
import { smallestOf } from "../../../util/extremes.ts";
import { formatCount, formatDuration, formatRatio, plural } from "../../../util/format.ts";
import { nowMs } from "../../terminal/clock.ts";
import { estimateMs, StepTimer, type Work } from "./eta.ts";
import type { OpenRun } from "./open-run.ts";
import type { Progress } from "./progress.ts";

/** With fewer training tokens per parameter, memorizing the text is what lowers the loss. */
const FEW_TOKENS = 0.5;

/** Prints the summary, and returns a timer that starts from the measured time of a step. */
export async function printRunSummary(run: OpenRun, progress: Progress): Promise<StepTimer> {
  const { trainer, config, kind, path, backend, savedBy, startedFrom, remarks } = run;
  const { settings } = config;
  const note = (line: string) => progress.note(line);
  const detail = (line: string) => progress.detail(line);
  const parameters = countNumbers(trainer.model.parameters());
  const [source, ...more] = kind.sources;
  note(source);
  for (const line of more) (line.startsWith("warning") ? note : detail)(line);
  note(
    `model       ${plural(settings.layers, "layer")}, ${plural(settings.heads, "head")}, ${settings.dModel} channels, ${kind.shapeSummary}: ${formatCount(parameters)} parameters`,
  );
  if (kind.trainingTokens !== null) {
    const tokensPerParameter = kind.trainingTokens / parameters;
    detail(`            ${formatRatio(tokensPerParameter)} training tokens per parameter`);
    if (tokensPerParameter < FEW_TOKENS)
      note(
        "warning     so little text that the model can memorize it: more text, a smaller model, --dropout or --patience helps",
      );
  }
  note(
    `training    ${plural(settings.steps, "step")} of ${formatCount(trainer.tokensPerStep)} tokens, on ${backend.name === "native" ? nameOf(backend) : computedBy(backend)}`,
  );
  note(`saved in    ${path}`);
  if (config.from !== undefined) note(`fine-tunes  ${startedFrom ?? config.from}`);
  if (kind.remark !== null) detail(kind.remark);
  const left = settings.steps - trainer.stepsDone;
  if (trainer.stepsDone > 0) {
    const last = left === 0 ? ", its last: no steps are left; --steps adds more" : "";
    note(`resumed     after step ${trainer.stepsDone}${last}`);
    for (const remark of remarks) note(`            ${remark}`);
    if (savedBy !== null && savedBy !== computedBy(backend))
      note(`            not bit-identical to an uninterrupted run: until now it ran on ${savedBy}`);
  }
  const work = workOf(run, left > 0 ? await timePart(run) : 0);
  if (left > 0)
    detail(`time        about ${formatDuration(estimateMs(work, left))}, estimated from timed steps`);
  note("");
  return new StepTimer(work.stepMs);
}

/** The time of a part of a step, measured on steps whose results are discarded. */
async function timePart({ trainer }: OpenRun): Promise<number> {
  const times: number[] = [];
  // The first few are slow, until the machine has warmed up.
  for (let spentMs = 0; times.length < 4 || (spentMs < 200 && times.length < 50); ) {
    const startMs = nowMs();
    await trainer.rehearse();
    times.push(nowMs() - startMs);
    spentMs += times[times.length - 1];
  }
  return smallestOf(times);
}

function workOf({ trainer, config, kind, ranks }: OpenRun, partMs: number): Work {
  const { settings } = config;
  const { gradAccumulation, evalInterval, checkpointInterval, patience } = settings;
  const { estimate, measure } = kind.tokens;
  return {
    stepMs: partMs * (ranks?.ownParts().length ?? gradAccumulation),
    tokenMs: (partMs * gradAccumulation) / trainer.tokensPerStep,
    evaluations: [
      { every: evalInterval, tokens: patience > 0 ? measure : estimate },
      { every: checkpointInterval, tokens: measure },
    ],
  };
}
