/** What the processes of a run do next. Process 0 decides, since it knows when the run has been stopped or ends early. */
import type { Settings } from "../../../../config/settings.ts";
import type { DataParallel } from "../../../../distributed/data-parallel.ts";
import { dueAfter } from "../../../../train/saved-state.ts";
import type { EvaluationReport } from "../kinds/kind.ts";
import type { BuiltRun } from "../open-run.ts";

const TASKS = ["step", "estimate", "measure"] as const;
type Task = (typeof TASKS)[number];
/** Which evaluation: see `TrainableKind`. */
export type Method = Exclude<Task, "step">;

/**
 * Whether process 0 announces tasks between this step and the next one. Elsewhere the next step needs no message.
 *
 * @param start the number of steps that were done when this session began
 */
export function announcesAfter(step: number, start: number, settings: Settings): boolean {
  return step === start || dueAfter(step, settings).evaluates;
}

/** Announces the next task. Only process 0 does it. */
export async function announce(ranks: DataParallel | null, task: Task): Promise<void> {
  await ranks?.numberOfFirst(TASKS.indexOf(task));
}

/** The task that process 0 announces. @throws RunEnded if it has ended the run */
export async function nextTask(ranks: DataParallel): Promise<Task> {
  return TASKS[await ranks.numberOfFirst()];
}

/** Evaluates the model, with all processes of the run. Throws as `DataParallel.runJobs` does. */
export function evaluateTogether(
  { trainer, kind, ranks }: BuiltRun,
  method: Method,
): Promise<EvaluationReport> {
  return trainer.evaluating(() => kind[method](ranks?.runJobs));
}
