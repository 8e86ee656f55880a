/** What processes other than number 0 do: their parts of each step and evaluation, until process 0 ends the run. */

import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { cachePlace } from "../../../../data/token-cache.ts";
import { type DataParallel, JobsGivenUp, RunEnded } from "../../../../distributed/data-parallel.ts";
import { ConfigError, TrainingError } from "../../../../errors.ts";
import { answerForState } from "../../../../train/optimizer-state.ts";
import { ranksOf } from "../../../../train/ranks.ts";
import { threadsOf } from "../../../options/settings-flags.ts";
import { RUNS } from "../../../shared/find-model.ts";
import { processes } from "../../../shared/process-lock.ts";
import { asProcess, type JoinedProcess } from "../../../shared/processes/join.ts";
import { receiveConfig } from "../../../shared/processes/send-config.ts";
import { readCorpusFor } from "../../../shared/read-corpus.ts";
import { SIGNALS } from "../../../shared/signals.ts";
import { type BuiltRun, buildRun } from "../open-run.ts";
import type { TrainFlags } from "../plan-run.ts";
import { announcesAfter, evaluateTogether, nextTask } from "./next-task.ts";
import { receiveState } from "./share-run.ts";

const silent = { note: () => {}, status: () => {} };

/** Trains and evaluates with process 0, which alone displays and saves. */
export async function follow(given: TrainFlags, joined: JoinedProcess<TrainFlags>): Promise<void> {
  await asProcess(joined, () => takePart(given, joined));
}

async function takePart(
  flags: TrainFlags,
  { communicator, ended }: JoinedProcess<TrainFlags>,
): Promise<void> {
  const config = await receiveConfig(communicator);
  const ranks = ranksOf(communicator, config.settings);
  const cache = cachePlace(flags, flags.out ?? join(RUNS, "run"), processes());
  const { data, validation, include } = flags;
  const text = await readCorpusFor(
    config.settings,
    { data, validation, include },
    config.corpus,
    cache,
    silent,
  );
  if (text !== null && text.sha256 !== config.corpus?.sha256)
    throw new ConfigError(
      `${text.path} is not the text that process 0 reads: its SHA-256 differs; copy the same files to every host`,
    );
  const plan = { flags, config, text, length: null, cache, threads: threadsOf(flags) };
  const run = await buildRun(plan, async () => nextTurn(), ranks);
  const { trainer, backend } = run;
  await receiveState(communicator, ranks, trainer);
  answerForState(trainer, ranks);
  for (const signal of SIGNALS) process.on(signal, () => ranks.requestStop());
  try {
    const start = trainer.stepsDone;
    for (;;) {
      if (announcesAfter(trainer.stepsDone, start, config.settings)) await evaluateWhenAsked(run, ranks);
      await trainer.step();
    }
  } catch (error) {
    // Process 0 has the same numbers, and reports that they are not finite.
    if (error instanceof TrainingError) await ranks.end();
    else if (!(error instanceof RunEnded)) throw error;
  }
  ended();
  await backend.close();
  // A listener for signals keeps no process alive, but a second signal now may end this one.
  for (const signal of SIGNALS) process.removeAllListeners(signal);
}

/** Evaluates with process 0, until its next task is a step. */
async function evaluateWhenAsked(run: BuiltRun, ranks: DataParallel): Promise<void> {
  for (let task = await nextTask(ranks); task !== "step"; task = await nextTask(ranks)) {
    try {
      await evaluateTogether(run, task);
    } catch (error) {
      // Process 0 saves now, and ends the run.
      if (!(error instanceof JobsGivenUp)) throw error;
    }
  }
}
