/** Opens the live display on this process's terminal, and restores the terminal when the program ends. */
import { asEvaluation } from "../../../../run/log.ts";
import type { Point } from "../../../terminal/chart.ts";
import { nowMs } from "../../../terminal/clock.ts";
import { hasUnicode, wantsColor } from "../../../terminal/colors.ts";
import type { OpenRun } from "../open-run.ts";
import type { TrainFlags } from "../plan-run.ts";
import { Curve } from "./curve.ts";
import { LiveProgress } from "./live-progress.ts";

/** Terminals made of xterm.js, which count lines wrapped below the cursor as above it. */
const SINKING = ["vscode", "Hyper", "Tabby"];

export function openLive({ color }: TrainFlags, run: OpenRun): LiveProgress {
  const { trainer, directory, kind, config } = run;
  const { env, platform, stderr } = process;
  const progress = new LiveProgress({
    screen: stderr,
    color: wantsColor(stderr, color),
    ascii: !hasUnicode(),
    sinks: platform !== "win32" && SINKING.includes(env.TERM_PROGRAM ?? ""),
    steps: config.settings.steps,
    reference: kind.reference,
    bitsPerByte: (lossNats) => kind.bitsPerByte(lossNats),
    before: trainer.stepsDone === 0 ? { training: [], validation: [], estimates: [] } : readLosses(directory),
    now: nowMs,
    memoryBytes: () => process.memoryUsage.rss(),
  });
  // However the program ends.
  process.on("exit", () => progress.end());
  if (platform !== "win32") {
    process.on("SIGTSTP", () => {
      progress.pause();
      process.kill(process.pid, "SIGSTOP");
    });
    process.on("SIGCONT", () => progress.resume());
    // Ctrl-\ saves nothing and dumps core, as usual; by then the listener is gone.
    process.once("SIGQUIT", () => {
      progress.end();
      process.kill(process.pid, "SIGQUIT");
    });
  }
  return progress;
}

/** The losses of steps and evaluations in the log of a run, thinned if they are many. */
function readLosses(directory: OpenRun["directory"]) {
  const [training, validation, estimates] = [new Curve(), new Curve(), new Curve()];
  let latest: Point[] = [];
  for (const entry of directory.logEntries()) {
    const { kind, step, lossNats } = entry;
    const evaluation = asEvaluation(entry);
    if (evaluation !== null) (evaluation.isEstimate ? estimates : validation).add(step, evaluation.lossNats);
    if (kind === "step" && typeof lossNats === "number") {
      if (latest.length > 0) training.add(...latest[0]);
      latest = [[step, lossNats]];
    }
  }
  // Neighbors in a long curve are merged; the latest step is shown as it is.
  return {
    training: [...training.points(), ...latest],
    validation: validation.points(),
    estimates: estimates.points(),
  };
}
