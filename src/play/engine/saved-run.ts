/** The run in training as a zip file. */
import { CheckpointError } from "../../errors.ts";
import { stepFolderName } from "../../run/checkpoint.ts";
import type { TrainingRun } from "./training-run.ts";
import { zip } from "./zip.ts";

/** A run to download. */
export interface SavedRun {
  /** The folder in the zip file. */
  readonly folder: string;
  /** The file beside it that holds a person's own text; null if the run trains on the tales. */
  readonly textFile: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a command repeats its steps: none of them was made without the causal mask. */
  readonly isPure: boolean;
}

const TALES = "tales";
const NAME_CHARACTERS = 40;

/** @throws CheckpointError if there is no run, or it has made no step */
export async function packRun(run: TrainingRun | null): Promise<SavedRun> {
  if (run === null || run.trainer.stepsDone === 0)
    throw new CheckpointError("no step has been made yet: train first");
  const { text, isPure } = run;
  const base = text.isOwn ? plainName(text.name.replace(/\.[^.]*$/, "")) : TALES;
  const folder = `${base}-${stepFolderName(run.trainer.stepsDone)}`;
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of await run.save()) files.set(`${folder}/${path}`, bytes);
  // Without its text, a run cannot continue.
  const textFile = text.file === null ? null : `${base}.txt`;
  if (text.file !== null) files.set(`${base}.txt`, new Uint8Array(await text.file.arrayBuffer()));
  return { folder, textFile, bytes: zip(files), isPure };
}

/** A name that every file system accepts. */
function plainName(name: string): string {
  const plain = name.replace(/[^\p{Letter}\p{Number}._-]+/gu, "-").replace(/^[.-]+/, "");
  return Array.from(plain).slice(0, NAME_CHARACTERS).join("") || "text";
}
