/** Chooses the display of a training run. The live display is loaded only if it is shown. */
import { nowMs } from "../../terminal/clock.ts";
import type { Terminal } from "../../terminal/output.ts";
import type { OpenRun } from "./open-run.ts";
import type { TrainFlags } from "./plan-run.ts";
import { PlainProgress, type Progress } from "./progress.ts";

export async function openProgress(flags: TrainFlags, run: OpenRun, terminal: Terminal): Promise<Progress> {
  const { steps } = run.config.settings;
  // Results printed to the same terminal would break up the live display.
  const disturbed = flags.json === true && process.stdout.isTTY === true;
  if (!terminal.live || flags.quiet === true || disturbed)
    return new PlainProgress(terminal, steps, flags.logEvery ?? null, nowMs);
  const { openLive } = await import("./display/open-live.ts");
  return openLive(flags, run);
}
