/** Starts competitors on a training task, compares them with nopeek, and times them in turns. */
import * as z from "zod";
import { CHECKED_STEPS, disagreement, type FirstSteps } from "./check.ts";
import { type Competitor, REFERENCE_NAME, type RunningCompetitor, startCompetitor } from "./competitors.ts";
import type { Report } from "./report.ts";
import type { Player } from "./rounds.ts";
import { median } from "./statistics.ts";
import type { Task } from "./tasks.ts";

const stepsLayout = z.object({
  times: z.array(z.number()),
  losses: z.array(z.number()),
  norms: z.array(z.number()),
});

interface StepTimes {
  readonly times: readonly number[];
}

/** The first steps also compile and allocate; in a step this long, that hardly matters. */
const LONG_STEP_MS = 100;
const SETTLING_MS = 500;

export interface RunningTraining extends RunningCompetitor, Player {
  readonly firstSteps: FirstSteps;
}

/** Starts one competitor and runs its first steps. @throws CompetitorError if it cannot take part */
export async function startTraining(
  competitor: Competitor,
  threads: number,
  task: Task,
): Promise<RunningTraining> {
  const started = await startCompetitor(competitor, "training", threads, task);
  const steps = (count: number, warmUp: number) => started.child.ask("steps", { count, warmUp }, stepsLayout);
  try {
    const firstSteps = await steps(CHECKED_STEPS, 0);
    const expectedMs = await warmStepMs(steps, Math.min(...firstSteps.times));
    const run = async (count: number, warmUp: number) => (await steps(count, warmUp)).times;
    return { ...started, firstSteps, expectedMs, run };
  } catch (error) {
    started.child.stop();
    throw error;
  }
}

/** The time of a step after engines have compiled the hot code, which matters for short steps. */
async function warmStepMs(steps: (count: number, warmUp: number) => Promise<StepTimes>, firstMs: number) {
  if (firstMs > LONG_STEP_MS) return firstMs;
  return median((await steps(5, Math.ceil(SETTLING_MS / firstMs))).times);
}

/**
 * Starts all competitors that can take part and do the same work as nopeek, and reports the others. Single-threaded
 * competitors are started once.
 */
export async function startTrainings(
  competitors: readonly Competitor[],
  threads: readonly number[],
  task: Task,
  report: Report,
): Promise<RunningTraining[]> {
  const started: RunningTraining[] = [];
  for (const competitor of competitors) {
    for (const count of competitor.threaded ? threads : [1]) {
      try {
        started.push(await startTraining(competitor, count, task));
      } catch (error) {
        report.leaveOut(competitor.name, messageOf(error));
        break;
      }
    }
  }
  const reference = started.find(({ competitor }) => competitor.name === REFERENCE_NAME);
  return started.filter((training) => {
    const wrong = reference === undefined ? null : disagreement(reference.firstSteps, training.firstSteps);
    if (wrong === null) return true;
    report.reject(training.competitor.name, wrong);
    training.child.stop();
    return false;
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
