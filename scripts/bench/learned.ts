/** The results of training to a target loss, and a comparison of two recipes. */
import { mean, median, spread } from "./statistics.ts";
import { formatNumber, formatTable } from "./table.ts";

export interface Learned {
  readonly tokens: number;
  readonly seconds: number;
  /** Of the whole validation split, in nats per token. */
  readonly loss: number;
}

/** @param ours and theirs: paired results, of equal length */
export function describeLearning(
  ours: readonly Learned[],
  theirs: readonly Learned[],
  target: number,
): string {
  const row = (name: string, runs: readonly Learned[]) => [
    name,
    formatNumber(mean(runs.map(({ tokens }) => tokens))),
    withSpread(
      runs.map(({ seconds }) => seconds),
      2,
    ),
    withSpread(
      runs.map(({ loss }) => loss),
      4,
    ),
    `${runs.filter(({ loss }) => loss <= target).length} of ${runs.length}`,
  ];
  const head = ["", "tokens", "seconds of steps", "loss", `at most ${target}`];
  return [
    formatTable(head, [row("nopeek", ours), row("PyTorch, nanoGPT's recipe", theirs)]),
    `PyTorch over nopeek, median of the turns: ${formatNumber(times(theirs, ours, "tokens"))} times the tokens, ${formatNumber(times(theirs, ours, "seconds"))} times the seconds`,
  ].join("\n");
}

function times(theirs: readonly Learned[], ours: readonly Learned[], what: "tokens" | "seconds"): number {
  return median(theirs.map((run, turn) => run[what] / ours[turn][what]));
}

function withSpread(numbers: readonly number[], decimals: number): string {
  const around = numbers.length < 2 ? "" : ` ± ${spread(numbers).toFixed(decimals)}`;
  return mean(numbers).toFixed(decimals) + around;
}
