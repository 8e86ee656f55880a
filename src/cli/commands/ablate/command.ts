/**
 * `nopeek ablate`: finds out which settings help. Trains a base and its variations with several seeds each, and
 * compares them on a held-out part of the training split. The validation split is not used: a model selected on it
 * could no longer be evaluated on it.
 */
import { existsSync, realpathSync } from "node:fs";
import { readRuns } from "../../../config/variations.ts";
import { explainFailures } from "../../../run/files.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { formatBitsPerByte, formatCount, formatDuration, formatLoss, plural } from "../../../util/format.ts";
import { joinProcesses } from "../../shared/processes/join.ts";
import { nowMs } from "../../terminal/clock.ts";
import { Terminal } from "../../terminal/output.ts";
import { labelOf } from "./fitting-variations.ts";
import { type AblateFlags, type AblationPlan, planAblation } from "./plan.ts";
import { follow, makeRound, sendMissing } from "./rounds.ts";
import { showTable } from "./table.ts";

const files = explainFailures(nodeFiles);
/** A million runs take about as much. */
const RESULTS_LIMIT = 500e6;

/** @param version of this program, which must be the same in all processes */
export async function ablate(given: AblateFlags, version: string): Promise<void> {
  const joined = await joinProcesses("ablate", given, version);
  const flags = joined?.flags ?? given;
  if (joined !== null && joined.communicator.rank > 0) return follow(flags, joined);
  const communicator = joined?.communicator ?? null;
  const terminal = new Terminal();
  const note = (line = "") => terminal.note(line);
  const plan = await planAblation(flags, { note, status: (line) => terminal.status(line) });
  // Files of a run must not be links, but the user's own results file may be one.
  const results = existsSync(flags.results) ? realpathSync(flags.results) : flags.results;
  const runs = readRuns(readResults(results));
  const missing = plan.runs.filter(({ key }) => !runs.has(key));
  await sendMissing(communicator, missing);
  for (const line of describePlan(plan, flags, missing.length)) note(line);

  let spentMs = 0;
  const atOnce = communicator?.size ?? 1;
  for (let done = 0; done < missing.length; done += atOnce) {
    const round = missing.slice(done, done + atOnce);
    const shown = round.map(({ settings, variation }) => `seed ${settings.seed}  ${labelOf(variation)}`);
    terminal.status(`run ${done + 1}/${missing.length}  ${shown.join(", ")} …`);
    const startMs = nowMs();
    const made = await makeRound(communicator, round, plan);
    spentMs += nowMs() - startMs;
    for (const [i, { settings, key }] of round.entries()) {
      const run = { settings, ...plan.keep, ...made[i] };
      runs.set(key, run);
      files.append(results, `${JSON.stringify(run)}\n`);
      const loss =
        run.lossNats === null
          ? "diverged"
          : `${formatLoss(run.lossNats)}, ${formatBitsPerByte(run.bitsPerByte)} bits per byte`;
      const leftMs = (spentMs / (done + round.length)) * (missing.length - done - round.length);
      note(
        `run ${done + i + 1}/${missing.length}  ${shown[i]}: ${loss} in ${formatDuration(run.elapsedMs)}; about ${formatDuration(leftMs)} left`,
      );
    }
  }
  joined?.ended();
  await plan.backend.close();

  const settings = plan.variations.map((variation) => {
    const done = plan.runs.flatMap((planned) => {
      const run = runs.get(planned.key);
      return planned.variation === variation && run !== undefined ? [run] : [];
    });
    return {
      name: labelOf(variation),
      losses: done.map(({ lossNats }) => lossNats),
      bitsPerByte: done.map((run) => run.bitsPerByte),
      elapsedMs: done.map(({ elapsedMs }) => elapsedMs),
    };
  });
  showTable(terminal, settings, { wantedNats: flags.difference, json: flags.json === true });
}

/** Lines about the runs to make. */
function describePlan(
  { base, text, variations, seeds, left, runs }: AblationPlan,
  { holdout, results }: AblateFlags,
  missing: number,
): string[] {
  const heldOut = text.ids.length - text.boundary;
  const part =
    heldOut > base.measureTokens
      ? `; each evaluation uses ${formatCount(base.measureTokens)} of them, from a fixed set of windows`
      : "";
  return [
    `held out    the last ${formatCount(heldOut)} tokens of the training split (${(100 * holdout).toFixed(0)}%), used only for evaluation${part}; the validation split is not used`,
    `runs        ${plural(variations.length, "setting")} with ${plural(seeds.length, "seed")} each: ${seeds.join(", ")}`,
    ...left.map((line) => `left out    ${line}`),
    `results     ${results}: ${formatCount(runs.length - missing)} of ${plural(runs.length, "run")} already done`,
    "",
  ];
}

/** Reads finished runs. Opens the file for writing, so that a file that cannot be written fails before training. */
function readResults(file: string): string {
  files.append(file, "");
  const text = new TextDecoder().decode(files.read(file, RESULTS_LIMIT));
  // Terminate a line that was cut off when the program was killed.
  if (text !== "" && !text.endsWith("\n")) files.append(file, "\n");
  return text;
}
