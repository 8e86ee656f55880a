/** The result of `nopeek ablate`: a table of settings, their losses and their comparison with the base. */
import {
  type Comparison,
  compareWithBase,
  LEVEL,
  mean,
  POWER,
  type SeedLosses,
  seedsToShow,
  spread,
} from "../../../report/comparison.ts";
import { largestOf } from "../../../util/extremes.ts";
import { formatBitsPerByte, formatCount, formatDuration, plural } from "../../../util/format.ts";
import type { Terminal } from "../../terminal/output.ts";

/** The runs of one setting. */
export interface Setting {
  readonly name: string;
  /** In the order of the seeds. */
  readonly losses: SeedLosses;
  /** null if a run diverged, or an earlier version made it. */
  readonly bitsPerByte: readonly (number | null)[];
  readonly elapsedMs: readonly number[];
}

interface Row {
  readonly name: string;
  /** null if a run diverged. */
  readonly meanNats: number | null;
  readonly meanBitsPerByte: number | null;
  readonly spreadNats: number | null;
  readonly meanMs: number;
  /** null for the base. */
  readonly comparison: (Comparison & { readonly seedsToShow: number | null }) | null;
}

/**
 * Prints the table, or its rows as JSON.
 *
 * @param settings the base, then its variations
 * @param wantedNats the difference for which the needed seeds are shown
 */
export function showTable(
  terminal: Terminal,
  settings: readonly Setting[],
  { wantedNats, json }: { readonly wantedNats: number; readonly json: boolean },
): void {
  const rows = rowsOf(settings, wantedNats);
  terminal.note();
  if (json) for (const { comparison, ...row } of rows) terminal.json({ ...row, ...comparison });
  else for (const line of linesOf(rows, wantedNats)) terminal.write(`${line}\n`);
  terminal.note();
  const tests = settings.length - 1;
  const explanations = [
    "loss, spread     mean and standard deviation over the seeds, in nats per token",
    "bits/byte        the mean loss in bits per UTF-8 byte of the text, comparable between tokenizers",
    "difference       mean over the seeds of the variation minus the base, with the same seed for both",
    `p                paired t-test, corrected for ${plural(tests, "comparison")} (Holm); ${LEVEL} or less is a difference: by chance, at most one table in twenty has a false one`,
    `${seedsHead(wantedNats).padEnd(15)}  about how many seeds show a difference of ${wantedNats} in ${POWER * 10} of 10 tables, given the spread of the differences`,
  ];
  for (const line of explanations) terminal.note(line);
}

function rowsOf([base, ...variations]: readonly Setting[], wantedNats: number): Row[] {
  const comparisons = compareWithBase(
    base.losses,
    variations.map(({ losses }) => losses),
  );
  return [
    { ...summaryOf(base), comparison: null },
    ...variations.map((variation, i) => {
      const { differenceSpreadNats } = comparisons[i];
      const seeds =
        differenceSpreadNats === null
          ? null
          : seedsToShow(wantedNats, differenceSpreadNats, variations.length);
      return { ...summaryOf(variation), comparison: { ...comparisons[i], seedsToShow: seeds } };
    }),
  ];
}

function summaryOf({ name, losses, bitsPerByte, elapsedMs }: Setting): Omit<Row, "comparison"> {
  const known = allKnown(losses);
  const perByte = allKnown(bitsPerByte);
  return {
    name,
    meanNats: known && mean(known),
    meanBitsPerByte: perByte && mean(perByte),
    spreadNats: known && spread(known),
    meanMs: mean(elapsedMs),
  };
}

function allKnown(values: readonly (number | null)[]): number[] | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : known;
}

const seedsHead = (wantedNats: number) => `seeds for ${wantedNats}`;

function linesOf(rows: readonly Row[], wantedNats: number): string[] {
  const width = largestOf(rows.map(({ name }) => name.length));
  const head = seedsHead(wantedNats);
  const line = (name: string, cells: readonly string[], verdict: string) =>
    [name.padEnd(width), ...cells, verdict].join("  ").trimEnd();
  const heads = [
    "loss".padEnd(6),
    "bits/byte",
    "spread",
    "difference",
    "p".padEnd(6),
    head,
    "time".padStart(9),
  ];
  return [
    line("setting", heads, ""),
    ...rows.map(({ name, meanNats, meanBitsPerByte, spreadNats, meanMs, comparison }) => {
      const { differenceNats = null, p = null, seedsToShow: seeds = null, verdict = "" } = comparison ?? {};
      const sign = differenceNats !== null && differenceNats >= 0 ? "+" : "";
      const cells = [
        nats(meanNats),
        formatBitsPerByte(meanBitsPerByte).padEnd("bits/byte".length),
        nats(spreadNats),
        comparison === null ? "".padEnd(10) : `${sign}${nats(differenceNats)}`.padEnd(10),
        comparison === null
          ? "".padEnd(6)
          : (p === null ? "–" : p < 0.0001 ? "<.0001" : p.toFixed(4)).padEnd(6),
        (comparison === null ? "" : seeds === null ? "–" : formatCount(seeds)).padEnd(head.length),
        formatDuration(meanMs).padStart(9),
      ];
      return line(name, cells, verdict);
    }),
  ];
}

const nats = (value: number | null) => (value === null ? "–" : value.toFixed(4)).padEnd(6);
