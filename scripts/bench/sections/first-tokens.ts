/**
 * The first tokens of a new process: nothing is compiled, captured or in a cache yet. Each competitor starts anew several
 * times, in turns. Loading the model and reading the prompt are not timed.
 */
import * as z from "zod";
import { startCompetitor } from "../competitors.ts";
import { competitorsFor, type Plan } from "../plan.ts";
import { median } from "../statistics.ts";
import { formatNumber, formatRatio, formatTable } from "../table.ts";
import type { Task } from "../tasks.ts";
import { messageOf } from "../training.ts";

const TOKENS = 8;
const STARTS = 3;

export const timesLayout = z.object({ times: z.array(z.number()) });

export interface FirstTokensRow {
  readonly contextLength: number;
  readonly competitor: string;
  readonly threads: number;
  /** The positions that the last of the tokens attends to. */
  readonly attended: number;
  /** Medians over the starts: of the first token, and of all of them together. */
  readonly firstMs: number;
  readonly allMs: number;
}

export async function measureFirstTokens(
  plan: Plan,
  task: Task,
  threads: number,
  attended: number,
): Promise<FirstTokensRow[]> {
  const times = new Map<string, number[][]>();
  const prompt = task.text.slice(0, attended - TOKENS);
  for (let start = 0; start < STARTS; start++) {
    for (const competitor of competitorsFor(plan, "sampling")) {
      try {
        const { child } = await startCompetitor(competitor, "sampling", threads, { ...task, cached: true });
        const own = await child.ask("tokens", { prompt, count: TOKENS }, timesLayout);
        child.stop();
        times.set(competitor.name, [...(times.get(competitor.name) ?? []), own.times]);
      } catch (error) {
        if (start === 0) plan.report.leaveOut(competitor.name, messageOf(error));
      }
    }
  }
  const { contextLength } = task.model;
  return [...times].map(([competitor, starts]) => ({
    ...{ contextLength, competitor, threads, attended },
    firstMs: median(starts.map(([first]) => first)),
    allMs: median(starts.map((own) => own.reduce((sum, ms) => sum + ms, 0))),
  }));
}

/** @param ours the competitors whose time the others' is divided by */
export function formatFirstTokens(rows: readonly FirstTokensRow[], ours: readonly string[]): string {
  const [{ attended }] = rows;
  const timeOf = (name: string) => rows.find(({ competitor }) => competitor === name)?.allMs ?? Number.NaN;
  const head = [
    `new process, ${attended} attended`,
    "first token, ms",
    `first ${TOKENS}, tokens per second`,
    ...ours.map((name) => `÷ ${name}`),
  ];
  const cells = rows.map(({ competitor, firstMs, allMs }) => [
    competitor,
    formatNumber(firstMs),
    Math.round((1000 * TOKENS) / allMs).toLocaleString("en-US"),
    ...ours.map((name) => formatRatio(allMs / timeOf(name))),
  ]);
  return formatTable(head, cells);
}
