/**
 * Sampling of one sequence: time per token against the number of tokens it attends to, with a cache (one position at
 * a time) and without (all positions for each token). Includes drawing from the probabilities. These are times of the
 * steady state; those of the first tokens of a new process are separate (first-tokens.ts).
 */
import * as z from "zod";
import { logitDisagreement } from "../check.ts";
import { type Competitor, REFERENCE_NAME, type RunningCompetitor, startCompetitor } from "../competitors.ts";
import { competitorsFor, type Plan } from "../plan.ts";
import { alternate } from "../rounds.ts";
import { formatSize, SIZES, type Size } from "../sizes.ts";
import { growthExponent, median, type RoundTimes, sideBySide, typical } from "../statistics.ts";
import { formatRatio, formatTable } from "../table.ts";
import type { Task } from "../tasks.ts";
import { messageOf } from "../training.ts";
import { type FirstTokensRow, formatFirstTokens, measureFirstTokens, timesLayout } from "./first-tokens.ts";

/** The first size unchanged, and with a longer context, to show the growth. */
const MODELS: readonly { readonly size: Size; readonly lengths: readonly number[] }[] = [
  { size: SIZES.nanogpt, lengths: [16, 32, 64] },
  { size: { ...SIZES.nanogpt, contextLength: 1024 }, lengths: [64, 256, 1024] },
];
/**
 * Consecutive tokens of a run, at most; the last one attends to the length named in the table. Only the second half is
 * timed: the prompt has replaced what the CPU's caches held, and nopeek captures the second token.
 */
const RUN = 32;
const UNCACHED_RUN = 2;
const WARM_UP_RUNS = 25;
const TURN_MS = 30;
const BUDGET_MS = 5_000;
/** Length of the sequence whose logits are compared. */
const CHECKED_TOKENS = 24;

const logitsLayout = z.object({ logits: z.array(z.number()) });

export interface SampleRow {
  readonly contextLength: number;
  readonly competitor: string;
  readonly version: string;
  readonly threads: number;
  readonly cached: boolean;
  readonly points: readonly {
    readonly attended: number;
    readonly medianMs: number;
    readonly tokensPerSecond: number;
    /** Its time divided by that of nopeek's backends, by name; both with a cache or both without. */
    readonly overNopeek: Readonly<Record<string, number | null>>;
  }[];
  /** k where the time per token grows as lengthᵏ. */
  readonly exponent: number;
}

interface Sampler extends RunningCompetitor {
  readonly cached: boolean;
  readonly logits: readonly number[];
}

export async function measureSampling(plan: Plan): Promise<(SampleRow | FirstTokensRow)[]> {
  const rows: (SampleRow | FirstTokensRow)[] = [];
  for (const { size, lengths } of MODELS) {
    plan.report.say(`\nSampling, tokens per second: ${formatSize({ ...size, batchSize: 1 })}`);
    const task = await plan.taskFiles.task(size);
    for (const threads of plan.threads) {
      const measured = await measureOn(plan, task, lengths, threads);
      if (measured.length === 0) continue;
      plan.report.say(formatRows(measured, threads));
      const first = await measureFirstTokens(plan, task, threads, Math.max(...lengths));
      plan.report.say(`${formatFirstTokens(first, oursIn(measured))}\n`);
      rows.push(...measured, ...first);
    }
  }
  return rows;
}

async function measureOn(
  plan: Plan,
  task: Task,
  lengths: readonly number[],
  threads: number,
): Promise<SampleRow[]> {
  const samplers = await startSamplers(plan, task, threads);
  const byLength: RoundTimes[][] = [];
  for (const length of lengths) byLength.push(await measureLength(plan, task, samplers, length));
  for (const { child } of samplers) child.stop();
  return samplers.map(({ competitor, child, cached }, i) => {
    const points = lengths.map((attended, l) => {
      const medianMs = typical(byLength[l][i]);
      const overNopeek = Object.fromEntries(
        samplers.flatMap((other, o) =>
          other.competitor.peer === null && other.cached === cached
            ? [[other.competitor.name, sideBySide(byLength[l][i], byLength[l][o])]]
            : [],
        ),
      );
      return { attended, medianMs, tokensPerSecond: 1000 / medianMs, overNopeek };
    });
    const exponent = growthExponent(points.map(({ attended, medianMs }) => [attended, medianMs]));
    const { contextLength } = task.model;
    const [{ name }, { version }] = [competitor, child];
    return { contextLength, competitor: name, version, threads, cached, points, exponent };
  });
}

/** Starts the competitors that can sample, with and without a cache, after comparing their logits. */
async function startSamplers(plan: Plan, task: Task, threads: number): Promise<Sampler[]> {
  const samplers: Sampler[] = [];
  for (const cached of [true, false]) {
    for (const competitor of competitorsFor(plan, "sampling")) {
      try {
        samplers.push(await startSampler(competitor, threads, task, cached));
      } catch (error) {
        plan.report.leaveOut(competitor.name, messageOf(error));
      }
    }
  }
  const reference = samplers.find(({ competitor }) => competitor.name === REFERENCE_NAME);
  return samplers.filter((sampler) => {
    const wrong = reference === undefined ? null : logitDisagreement(reference.logits, sampler.logits);
    if (wrong === null) return true;
    plan.report.reject(sampler.competitor.name, wrong);
    sampler.child.stop();
    return false;
  });
}

async function startSampler(
  competitor: Competitor,
  threads: number,
  task: Task,
  cached: boolean,
): Promise<Sampler> {
  const started = await startCompetitor(competitor, "sampling", threads, { ...task, cached });
  const { logits } = await started.child.ask(
    "logits",
    { ids: task.text.slice(0, CHECKED_TOKENS) },
    logitsLayout,
  );
  return { ...started, cached, logits };
}

async function measureLength(
  plan: Plan,
  task: Task,
  samplers: readonly Sampler[],
  length: number,
): Promise<RoundTimes[]> {
  const players = [];
  const count = Math.min(RUN, length / 2);
  for (const { child, cached } of samplers) {
    const prompt = task.text.slice(0, cached ? length - count : length);
    const details = { prompt, count: cached ? count : UNCACHED_RUN };
    const tokens = async () => {
      const { times } = await child.ask("tokens", details, timesLayout);
      return cached ? times.slice(count / 2) : times;
    };
    // Tokens take longer until engines have compiled the hot code.
    for (let i = 0; i < (cached ? WARM_UP_RUNS : 1); i++) await tokens();
    // A run is a prompt and the tokens after it. A turn contains as many runs as fit.
    const run = async (count: number, warmUp: number) => {
      const times: number[] = [];
      for (let i = -warmUp; i < count; i++) {
        const own = await tokens();
        if (i >= 0) times.push(...own);
      }
      return times;
    };
    const expectedMs = details.count * median(await tokens());
    players.push({ run, expectedMs });
  }
  return alternate(players, { rounds: plan.rounds, turnMs: TURN_MS, budgetMs: BUDGET_MS });
}

/** The names of nopeek's backends. */
const oursIn = (rows: readonly SampleRow[]) => Object.keys(rows[0].points[0].overNopeek);

function formatRows(rows: readonly SampleRow[], threads: number): string {
  const lengths = rows[0].points.map(({ attended }) => `at ${attended}`);
  const ours = oursIn(rows);
  const head = [
    "",
    ...lengths,
    "time ∝ lengthᵏ",
    ...ours.map((name) => `÷ ${name} at ${rows[0].points.at(-1)?.attended}`),
  ];
  const cells = rows.map(({ competitor, cached, points, exponent }) => [
    `${competitor}${cached ? "" : ", no cache"}`,
    ...points.map(({ tokensPerSecond }) => Math.round(tokensPerSecond).toLocaleString("en-US")),
    exponent.toFixed(2),
    ...ours.map((name) => formatRatio(points.at(-1)?.overNopeek[name] ?? null)),
  ]);
  const note = `${threads} ${threads === 1 ? "thread" : "threads"}, steady state; time per token relative to nopeek's; above 1, nopeek is faster`;
  return `${formatTable(head, cells)}\n${note}\n`;
}
