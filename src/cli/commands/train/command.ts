/** `nopeek train`: plans a run, opens it and trains. */
import { stderrReporter, Terminal } from "../../terminal/output.ts";
import { openProgress } from "./open-progress.ts";
import { closeRun, openRun } from "./open-run.ts";
import { planRun, type TrainFlags } from "./plan-run.ts";
import { StopRequest } from "./stop-request.ts";
import { TrainingSession } from "./training-session.ts";
import { trainingText } from "./training-text.ts";

/** @param open opens the display of the training's progress */
export async function train(flags: TrainFlags, open = openProgress): Promise<void> {
  const stop = new StopRequest();
  const terminal = new Terminal(stop.outputLost);
  const { data, stdin } = await trainingText(flags);
  const given = data === undefined ? flags : { ...flags, data };
  const run = await openRun(await planRun(given, stderrReporter(), stdin), stop.check);
  const session = new TrainingSession(run, flags, terminal, await open(flags, run, terminal), stop);
  const stopped = await session.train();
  await closeRun(run);
  if (stopped) stop.exit();
}
