/** Chooses who tells people how a training goes; the live picture is loaded where it is shown, and nowhere else. */

import type { Terminal } from "../../terminal/output.ts";
import type { PreparedRun, TrainFlags } from "./prepare-run.ts";
import { PlainProgress, type Progress } from "./progress.ts";

export async function openProgress(
  flags: TrainFlags,
  run: PreparedRun,
  terminal: Terminal,
): Promise<Progress> {
  const { steps } = run.config.settings;
  // Results that are printed to the same terminal would go through the picture.
  const disturbed = flags.json === true && process.stdout.isTTY === true;
  if (!terminal.live || flags.quiet === true || disturbed)
    return new PlainProgress(terminal, steps, flags.logEvery);
  const { openLive } = await import("./display/open-live.ts");
  return openLive(flags, run);
}
