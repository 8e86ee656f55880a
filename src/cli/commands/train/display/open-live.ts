/** Opens the live picture on this process's terminal, and sees to it that the terminal is left as it was found. */
import type { Point } from "../../../terminal/chart.ts";
import { nowMs } from "../../../terminal/clock.ts";
import { hasUnicode, wantsColor } from "../../../terminal/colors.ts";
import type { PreparedRun, TrainFlags } from "../prepare-run.ts";
import { LiveProgress } from "./live-progress.ts";

/** Terminals that count the lines broken below the cursor as above it: those that are made of xterm.js. */
const SINKING = ["vscode", "Hyper", "Tabby"];

export function openLive({ color }: TrainFlags, run: PreparedRun): LiveProgress {
  const { trainer, directory, study, config } = run;
  const { env, platform, stderr } = process;
  const progress = new LiveProgress({
    screen: stderr,
    color: wantsColor(stderr, color),
    ascii: !hasUnicode(),
    sinks: platform !== "win32" && SINKING.includes(env.TERM_PROGRAM ?? ""),
    steps: config.settings.steps,
    reference: study.reference,
    before: trainer.stepsDone === 0 ? { training: [], validation: [] } : readLosses(directory),
    now: nowMs,
    memoryBytes: () => process.memoryUsage.rss(),
  });
  // Wherever the program ends.
  process.on("exit", () => progress.end());
  if (platform !== "win32") {
    process.on("SIGTSTP", () => {
      progress.pause();
      process.kill(process.pid, "SIGSTOP");
    });
    process.on("SIGCONT", () => progress.resume());
    // Ctrl-\ saves nothing and dumps core, as everywhere; by then the listener is gone.
    process.once("SIGQUIT", () => {
      progress.end();
      process.kill(process.pid, "SIGQUIT");
    });
  }
  return progress;
}

/** The losses of steps and evaluations that the log has of a run. */
function readLosses(directory: PreparedRun["directory"]) {
  const records = directory.readLog();
  const pointsOf = (kind: string) =>
    records.flatMap((record): Point[] => {
      const { step, lossNats } = record;
      return record.kind === kind && typeof lossNats === "number" ? [[step, lossNats]] : [];
    });
  return { training: pointsOf("step"), validation: pointsOf("evaluation") };
}
