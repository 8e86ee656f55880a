/** `nopeek train`: plans a run, opens it and trains. */
import { CheckpointError, TrainingError } from "../../../errors.ts";
import { ranksOf } from "../../../train/ranks.ts";
import { type JoinedProcess, joinProcesses } from "../../shared/processes/join.ts";
import { sendConfig } from "../../shared/processes/send-config.ts";
import { stderrReporter, Terminal } from "../../terminal/output.ts";
import { openProgress } from "./open-progress.ts";
import { closeRun, type OpenRun, openRun } from "./open-run.ts";
import { planRun, type TrainFlags } from "./plan-run.ts";
import { follow } from "./processes/follow.ts";
import { sendState } from "./processes/share-run.ts";
import { StopRequest } from "./stop-request.ts";
import { TrainingSession } from "./training-session.ts";
import { trainingText } from "./training-text.ts";

/**
 * @param open    opens the display of the training's progress
 * @param version of this program, which must be the same in all processes
 */
export async function train(given: TrainFlags, open = openProgress, version = ""): Promise<void> {
  const joined = await joinProcesses("train", given, version);
  const flags = joined?.flags ?? given;
  if (joined !== null && joined.communicator.rank > 0) return follow(await withTexts(flags), joined);
  const stop = new StopRequest();
  const terminal = new Terminal(stop.outputLost);
  const run = await openShared(flags, joined, stop);
  const session = new TrainingSession(run, flags, terminal, await open(flags, run, terminal), stop);
  const stopped = await endingTogether(joined, run, () => session.train());
  await closeRun(run);
  if (stopped) stop.exit();
}

/** Opens the run, and sends it to the other processes. */
async function openShared(
  flags: TrainFlags,
  joined: JoinedProcess<TrainFlags> | null,
  stop: StopRequest,
): Promise<OpenRun> {
  if (joined === null) {
    const { data, stdin } = await trainingText(flags);
    const given = data === undefined ? flags : { ...flags, data };
    return openRun(await planRun(given, stderrReporter(), stdin), stop.check);
  }
  const { communicator } = joined;
  const plan = await planRun(await withTexts(flags), stderrReporter(), undefined, communicator.size);
  const ranks = ranksOf(communicator, plan.config.settings);
  await sendConfig(communicator, plan.config);
  const run = await openRun(plan, stop.check, ranks);
  const stored = plan.kind === "resume" ? plan.checkpoint?.optimizer : undefined;
  await sendState(communicator, ranks, run.trainer, stored ?? null);
  return run;
}

/** The flags with all texts in `data`. Standard input is not one of them: only one process could read it. */
async function withTexts(flags: TrainFlags): Promise<TrainFlags> {
  const { data } = await trainingText(flags, async () => "nothing");
  return data === undefined ? flags : { ...flags, data };
}

/** Runs `body`, and lets the other processes end after it. They wait for their next step then, or fail as this one. */
async function endingTogether<T>(
  joined: JoinedProcess<TrainFlags> | null,
  { ranks }: OpenRun,
  body: () => Promise<T>,
): Promise<T> {
  const end = async () => {
    await ranks?.end();
    joined?.ended();
  };
  try {
    const result = await body();
    await end();
    return result;
  } catch (error) {
    if (error instanceof TrainingError || error instanceof CheckpointError) await end();
    throw error;
  }
}
