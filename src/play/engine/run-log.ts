/** The log of a run that trains on the page: that of the command line, and the mask of the steps without the causal one. */
import type { Files } from "../../run/files.ts";
import { asStep, type LogEntry } from "../../run/log.ts";
import { formatCount, plural } from "../../util/format.ts";
import { joinPath } from "../../util/paths.ts";
import { MASK_MODES, type MaskMode } from "../masks.ts";
import type { TrainedStep } from "../protocol.ts";

/** What the log keeps of a step's mask: nothing if it is the causal one, as on the command line. */
export function maskOf(mask: MaskMode): { readonly mask?: MaskMode } {
  return mask === "on" ? {} : { mask };
}

/** The steps in a log. */
export function stepsIn(entries: Iterable<LogEntry>): TrainedStep[] {
  const steps: TrainedStep[] = [];
  for (const entry of entries) {
    const { step, lossNats } = asStep(entry) ?? {};
    if (step === undefined || typeof lossNats !== "number") continue;
    steps.push({ step, lossNats, mask: MASK_MODES.find((mode) => mode === entry.mask) ?? "on" });
  }
  return steps;
}

/** The text of a file that goes with a run of which some steps were made without the causal mask. */
export function noteOn(steps: readonly TrainedStep[]): string {
  const without = steps.filter(({ mask }) => mask !== "on");
  const [first, last] = [without[0]?.step ?? 0, without.at(-1)?.step ?? 0];
  return [
    `${plural(without.length, "step")} of this run, between steps ${formatCount(first)} and ${formatCount(last)}, ran without the causal mask, in the page of`,
    "nopeek play. No command repeats these steps. A resumed run continues from the saved weights, with the mask.",
    'In log.jsonl, each of these steps has a field "mask".',
    "",
  ].join("\n");
}

/** The files in a folder and its folders, by their paths in it. */
export function filesUnder(files: Files, folder: string, path = ""): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of files.list(joinPath(folder, path))) {
    const inner = joinPath(path, name);
    const there = files.inspect(joinPath(folder, inner));
    if (there?.type === "folder")
      for (const [each, bytes] of filesUnder(files, folder, inner)) found.set(each, bytes);
    else if (there !== null) found.set(inner, files.read(joinPath(folder, inner), there.bytes));
  }
  return found;
}
