/** Runs of an ablation in rounds: at one time, each process makes one. */
import type { Communicator } from "../../../distributed/communicator.ts";
import { broadcastText, gatherTexts } from "../../../distributed/texts.ts";
import { ConfigError } from "../../../errors.ts";
import { asProcess, type JoinedProcess } from "../../shared/processes/join.ts";
import { type AblateFlags, type AblationPlan, type Planned, planAblation } from "./plan.ts";
import { type RunResult, runOnce } from "./run-once.ts";

const silent = { note: () => {}, status: () => {} };

/** Sends the keys of the runs to make from process 0 to the others, which may not see the file of finished runs. */
export async function sendMissing(
  communicator: Communicator | null,
  missing: readonly Planned[],
): Promise<void> {
  if (communicator !== null) await broadcastText(communicator, missing.map(({ key }) => key).join("\n"));
}

/**
 * Makes the runs of one round.
 *
 * @param communicator null if this process makes them alone
 * @param round        at most one run for each process
 * @returns the results in the order of the runs, on every process
 */
export async function makeRound(
  communicator: Communicator | null,
  round: readonly Planned[],
  { text, backend }: AblationPlan,
): Promise<RunResult[]> {
  const own = round.at(communicator?.rank ?? 0);
  const result = own === undefined ? null : await runOnce(own.settings, text, backend);
  if (communicator === null) return result === null ? [] : [result];
  const all = await gatherTexts(communicator, JSON.stringify(result));
  return all.slice(0, round.length).map((each) => JSON.parse(each));
}

/** Makes runs with process 0, which alone prints and writes the results. */
export function follow(flags: AblateFlags, joined: JoinedProcess<AblateFlags>): Promise<void> {
  return asProcess(joined, async () => {
    const { communicator, ended } = joined;
    const keys = (await broadcastText(communicator, null)).split("\n").filter((key) => key !== "");
    const plan = await planAblation(flags, silent);
    const byKey = new Map(plan.runs.map((planned) => [planned.key, planned]));
    const missing = keys.flatMap((key) => byKey.get(key) ?? []);
    if (missing.length < keys.length)
      throw new ConfigError(
        "its text, or its --config file, is not the one that process 0 reads; copy the same files to every host",
      );
    for (let done = 0; done < missing.length; done += communicator.size)
      await makeRound(communicator, missing.slice(done, done + communicator.size), plan);
    ended();
    await plan.backend.close();
  });
}
