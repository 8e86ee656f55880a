/** A run that a person brings in: its files are found, limited, read and checked, before anything is computed. */
import { CheckpointError, ConfigError } from "../../errors.ts";
import { countParameters } from "../../nn/count-parameters.ts";
import type { Checkpoint } from "../../run/checkpoint.ts";
import { stepOfName } from "../../run/checkpoint.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../../run/config.ts";
import { RunDirectory, readLatestCheckpoint } from "../../run/directory.ts";
import { MemoryFiles } from "../../run/memory-files.ts";
import { smallestOf } from "../../util/extremes.ts";
import { formatBytes, formatCount } from "../../util/format.ts";
import { joinPath, lastPart, parentPath } from "../../util/paths.ts";
import { printableLine } from "../../util/printable.ts";
import type { GivenFile } from "../protocol.ts";
import { MOST_FILES, MOST_RUN_BYTES } from "./limits.ts";

const CONFIG = "config.json";
/** Files of a run that lie in its own folder, and in that of a step. */
const RUN_FILES = [CONFIG, "log.jsonl", "latest", "best"];
const STEP_FILES = ["model.safetensors", "optimizer.safetensors", "state.json"];
/** No name of a step is longer. */
const POINTER_BYTES = 100;

/** A run that was read and checked. */
export interface GivenRun {
  /** The name of its folder. */
  readonly name: string;
  readonly config: RunConfig;
  readonly directory: RunDirectory;
  readonly files: MemoryFiles;
  /** null if it was stopped before its first. */
  readonly checkpoint: (Checkpoint & { readonly name: string }) | null;
}

/** Whether files that a person brings in are a run. */
export function holdsRun(given: readonly GivenFile[]): boolean {
  return given.some(({ path }) => lastPart(path) === CONFIG);
}

/** The files that do not belong to the run. */
export function besideRun(given: readonly GivenFile[]): GivenFile[] {
  const root = rootOf(given);
  return given.filter(({ path }) => !path.startsWith(root));
}

/**
 * Reads a run and checks it: the SHA-256 of its files, its version, its kind, and that its weights fit its config.
 *
 * @param given its files; of those in its folder that no run has, none is read
 * @throws CheckpointError or ConfigError that says what is wrong
 */
export async function readGivenRun(given: readonly GivenFile[]): Promise<GivenRun> {
  const root = rootOf(given);
  const name = printableLine(lastPart(root)) || "run";
  const files = await inMemory(given, root, name);
  const directory = RunDirectory.open(name, { files, keep: 1 });
  const config = runConfigFromJSON(directory.config, `${name}/${CONFIG}`);
  checkKind(config, name);
  const checkpoint = readLatestCheckpoint(name, files);
  if (checkpoint === null && config.from !== undefined)
    throw new CheckpointError(`${name}: was stopped before it saved the model that it fine-tunes`);
  if (checkpoint !== null) checkCount(config, checkpoint, name);
  return { name, config, directory, files, checkpoint };
}

/** The folder of the run, with a slash at its end; "" if its files lie beside each other without a folder. */
function rootOf(given: readonly GivenFile[]): string {
  const depth = (path: string) => path.split("/").length;
  const configs = given.map(({ path }) => path).filter((path) => lastPart(path) === CONFIG);
  const top = smallestOf(configs.map(depth));
  const roots = configs.filter((path) => depth(path) === top).map((path) => path.slice(0, -CONFIG.length));
  if (roots.length > 1)
    throw new CheckpointError(
      `${roots.length} runs: ${roots
        .slice(0, 5)
        .map((root) => printableLine(lastPart(root)))
        .join(", ")}; choose one of them`,
    );
  return roots[0];
}

/** The files of the latest and the best step, the config and the log, under the run's name. */
async function inMemory(given: readonly GivenFile[], root: string, name: string): Promise<MemoryFiles> {
  if (given.length > MOST_FILES)
    throw new CheckpointError(
      `${name}: holds more than ${formatCount(MOST_FILES)} files, and no run has as many; choose the folder of one run`,
    );
  const inRun = new Map(
    given
      .filter(({ path }) => path.startsWith(root))
      .map(({ path, file }) => [path.slice(root.length), file]),
  );
  const steps = new Set<string>();
  for (const pointer of ["latest", "best"]) {
    const step = await inRun.get(pointer)?.slice(0, POINTER_BYTES).text();
    if (step !== undefined && stepOfName(step.trim()) !== null) steps.add(step.trim());
  }
  const wanted = [
    ...RUN_FILES,
    ...[...steps].flatMap((step) => STEP_FILES.map((file) => joinPath(step, file))),
  ];
  const bytes = wanted.reduce((sum, path) => sum + (inRun.get(path)?.size ?? 0), 0);
  if (bytes > MOST_RUN_BYTES)
    throw new CheckpointError(
      `${name}: its latest and best step have ${formatBytes(bytes)}, and a run here may have at most ${formatBytes(MOST_RUN_BYTES)}; continue it with the command line`,
    );
  const files = new MemoryFiles();
  files.createFolder(name);
  for (const path of wanted) {
    const file = inRun.get(path);
    if (file === undefined) continue;
    files.createFolder(joinPath(name, parentPath(path)));
    files.write(joinPath(name, path), new Uint8Array(await file.arrayBuffer()));
  }
  return files;
}

/** @throws ConfigError for a run that this page cannot continue to the same bits */
function checkKind({ settings, corpus }: RunConfig, name: string): void {
  const { model, documents, split } = settings;
  const inTerminal = "continue it in a terminal, with `resume`";
  if (model !== "gpt")
    throw new ConfigError(`${name}: is a model of kind ${model}, and this page trains GPTs; ${inTerminal}`);
  if (documents !== "none" || split !== "tail" || corpus?.boundary !== undefined)
    throw new ConfigError(
      `${name}: trains on documents, shuffled parts or a separate validation text, and this page on a text as a whole; ${inTerminal}`,
    );
  if (corpus === null) throw new ConfigError(`${name}: its ${CONFIG} names no text`);
}

/** Checks the size before anything is allocated: an edited config may ask for any. */
function checkCount({ settings, tokenizer }: RunConfig, { model }: Checkpoint, name: string): void {
  const described = countParameters(gptConfigOf(settings, tokenizer.vocabSize));
  const stored = [...model.values()].reduce((count, { values }) => count + values.length, 0);
  if (described === stored) return;
  throw new CheckpointError(
    `${name}/${CONFIG}: describes a model of ${formatCount(described)} parameters, and its checkpoint holds ${formatCount(stored)}: one of the two was changed after saving`,
  );
}
