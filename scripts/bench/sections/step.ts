/** A training step: forward, backward, clipping and AdamW over a batch of text. */
import { competitorsFor, type Plan } from "../plan.ts";
import { alternate } from "../rounds.ts";
import { formatSize, SIZES, type SizeName } from "../sizes.ts";
import { best, type RoundTimes, sideBySide, turnsOf, typical } from "../statistics.ts";
import { formatNumber, formatRatio, formatTable } from "../table.ts";
import { type RunningTraining, startTrainings } from "../training.ts";

const TURN_MS = 150;
/** Time that one competitor may use for a table. */
const BUDGET_MS = 15_000;

export interface StepRow {
  readonly size: SizeName;
  readonly competitor: string;
  readonly version: string;
  readonly threads: number;
  /**
   * Threads of the nopeek rows it is compared with. A single-threaded competitor is compared with nopeek at each
   * count.
   */
  readonly comparedOnThreads: number;
  readonly medianMs: number;
  readonly bestMs: number;
  readonly turns: number;
  /** Its time divided by nopeek's, by backend. Above 1, nopeek is faster. */
  readonly overNopeek: Readonly<Record<string, number | null>>;
  readonly firstLosses: readonly number[];
}

export async function measureSteps(plan: Plan): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  for (const name of plan.sizes) rows.push(...(await measureSize(plan, name)));
  return rows;
}

async function measureSize(plan: Plan, name: SizeName): Promise<StepRow[]> {
  const { report, threads, taskFiles } = plan;
  report.say(`\nTraining step, ${name}: ${formatSize(SIZES[name])}`);
  const task = await taskFiles.task(SIZES[name]);
  const trainings = await startTrainings(competitorsFor(plan, "training"), threads, task, report);
  const times = await alternate(trainings, { rounds: plan.rounds, turnMs: TURN_MS, budgetMs: BUDGET_MS });
  for (const { child } of trainings) child.stop();
  const rows = threads.flatMap((count) => rowsOn(count, name, trainings, times));
  for (const count of threads) {
    const on = rows.filter((row) => row.comparedOnThreads === count);
    if (on.length > 0) report.say(formatRows(on, count));
  }
  return rows;
}

/** Competitors with this number of threads, and single-threaded ones. */
function rowsOn(
  threads: number,
  size: SizeName,
  trainings: readonly RunningTraining[],
  times: readonly RoundTimes[],
): StepRow[] {
  const ours = trainings.flatMap(({ competitor, threads: own }, i) =>
    competitor.peer === null && own === threads ? [[competitor.name, times[i]] as const] : [],
  );
  return trainings.flatMap(({ competitor, threads: own, child, firstSteps }, i) => {
    if (competitor.threaded && own !== threads) return [];
    const overNopeek = Object.fromEntries(
      ours.map(([name, other]) => [name, sideBySide(times[i], other)] as const),
    );
    return [
      {
        size,
        competitor: competitor.name,
        version: child.version,
        threads: own,
        comparedOnThreads: threads,
        medianMs: typical(times[i]),
        bestMs: best(times[i]),
        turns: turnsOf(times[i]),
        overNopeek,
        firstLosses: firstSteps.losses,
      },
    ];
  });
}

function formatRows(rows: readonly StepRow[], threads: number): string {
  const ours = Object.keys(rows[0].overNopeek);
  const head = ["", "version", "threads", "ms per step", "best", "turns", ...ours.map((name) => `÷ ${name}`)];
  const cells = rows.map((row) => [
    row.competitor,
    row.version,
    row.threads === threads ? String(threads) : `max. ${row.threads}`,
    formatNumber(row.medianMs),
    formatNumber(row.bestMs),
    String(row.turns),
    ...ours.map((name) => formatRatio(row.overNopeek[name])),
  ]);
  return `${formatTable(head, cells)}\n`;
}
