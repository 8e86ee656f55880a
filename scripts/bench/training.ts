/** Starts competitors on a training task, compares them with nopeek, and times them in turns. */
import { z } from "zod";
import { CHECKED_STEPS, disagreement, type FirstSteps } from "./check.ts";
import { type Competitor, REFERENCE_NAME, type Seat, seat } from "./competitors.ts";
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
const SETTLED_MS = 100;
const SETTLING_MS = 500;

export interface Trainee extends Seat, Player {
  readonly firstSteps: FirstSteps;
}

/** Starts one competitor and runs its first steps. @throws CompetitorError if it cannot take part */
export async function seatTrainee(competitor: Competitor, threads: number, task: Task): Promise<Trainee> {
  const seated = await seat(competitor, "training", threads, task);
  const steps = (count: number, warmUp: number) => seated.child.ask("steps", { count, warmUp }, stepsLayout);
  try {
    const firstSteps = await steps(CHECKED_STEPS, 0);
    const expectedMs = await settledMs(steps, Math.min(...firstSteps.times));
    const run = async (count: number, warmUp: number) => (await steps(count, warmUp)).times;
    return { ...seated, firstSteps, expectedMs, run };
  } catch (error) {
    seated.child.stop();
    throw error;
  }
}

/** The time of a step after engines have compiled the hot code, which matters for short steps. */
async function settledMs(steps: (count: number, warmUp: number) => Promise<StepTimes>, firstMs: number) {
  if (firstMs > SETTLED_MS) return firstMs;
  return median((await steps(5, Math.ceil(SETTLING_MS / firstMs))).times);
}

/**
 * Starts all competitors that can take part and do the same work as nopeek, and reports the others. Single-threaded
 * competitors are started once.
 */
export async function seatTrainees(
  competitors: readonly Competitor[],
  threads: readonly number[],
  task: Task,
  report: Report,
): Promise<Trainee[]> {
  const seated: Trainee[] = [];
  for (const competitor of competitors) {
    for (const count of competitor.threaded ? threads : [1]) {
      try {
        seated.push(await seatTrainee(competitor, count, task));
      } catch (error) {
        report.leaveOut(competitor.name, messageOf(error));
        break;
      }
    }
  }
  const reference = seated.find(({ competitor }) => competitor.name === REFERENCE_NAME);
  return seated.filter((trainee) => {
    const wrong = reference === undefined ? null : disagreement(reference.firstSteps, trainee.firstSteps);
    if (wrong === null) return true;
    report.reject(trainee.competitor.name, wrong);
    trainee.child.stop();
    return false;
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
