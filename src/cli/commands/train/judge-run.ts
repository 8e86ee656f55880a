/** Judges a finished run: gathers the facts, and shows the verdict with the command that helps. */
import { STDIN } from "../../../data/text-files.ts";
import type { CorpusRecord } from "../../../run/config.ts";
import type { EarlyStopping } from "../../../train/early-stopping.ts";
import { shellWord } from "../../../util/format.ts";
import { flagFor } from "../../shared/explain-error.ts";
import type { EvaluationReport } from "./kinds/kind.ts";
import type { OpenRun } from "./open-run.ts";
import { type MeasuredPoint, type RunFacts, type Verdict, verdictOf } from "./verdict.ts";

/**
 * The verdict on a run.
 *
 * @param points the measurements of this run, oldest first; at least one
 * @param report the evaluation of the latest weights, if there is one
 */
export function judgeRun(
  { config, kind }: OpenRun,
  points: readonly MeasuredPoint[],
  report: EvaluationReport | null,
): Verdict {
  const facts: RunFacts = { points, ...kind.baselines(), answers: report?.answers ?? null };
  return verdictOf(facts, config.settings);
}

/** The measurements that a resumed run starts with: the best and the latest of those before. */
export function pointsOf({ best, latest }: EarlyStopping): MeasuredPoint[] {
  if (best === null || latest === null) return [];
  return best.step === latest.step ? [latest] : [best, latest];
}

/**
 * The verdict as lines of the program's output.
 *
 * @param path   the run directory
 * @param corpus its text; null if it has none
 */
export function describeVerdict(
  { sentences, changes }: Verdict,
  path: string,
  corpus: CorpusRecord | null,
): string[] {
  const [first, ...rest] = sentences;
  const flags = Object.entries(changes).map(([setting, value]) => flagFor(setting, value));
  // A text from standard input cannot be read again.
  const command =
    flags.length === 0 || (corpus?.paths ?? [corpus?.path]).includes(STDIN)
      ? []
      : [`try         npx nopeek train --config ${shellWord(`${path}/config.json`)} ${flags.join(" ")}`];
  return [`verdict     ${first}`, ...rest.map((sentence) => `            ${sentence}`), ...command];
}
