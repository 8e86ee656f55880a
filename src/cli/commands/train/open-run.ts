/** The second step of a training run: a plan becomes a run, with its backend, memory, lock and directory. */
import { Context } from "../../../autograd/context.ts";
import type { Backend } from "../../../backend/backend.ts";
import { type TokenizedText, tokenize } from "../../../data/tokenized-corpus.ts";
import type { DataParallel } from "../../../distributed/data-parallel.ts";
import { CheckpointError } from "../../../errors.ts";
import { type RunConfig, runConfigToJSON } from "../../../run/config.ts";
import type { RunDirectoryOptions } from "../../../run/directory.ts";
import type { RunLock } from "../../../run/lock.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { RunDirectory } from "../../../run/on-disk.ts";
import { earlierSchedules } from "../../../run/settings-history.ts";
import { EarlyStopping } from "../../../train/early-stopping.ts";
import { resumeFrom, savedStateOf } from "../../../train/saved-state.ts";
import { Trainer } from "../../../train/trainer.ts";
import { openBackend } from "../../shared/open-backend.ts";
import { lockRun } from "../../shared/process-lock.ts";
import { stderrReporter } from "../../terminal/output.ts";
import { claimFolder, claimNextFolder } from "./claim-folder.ts";
import { OPEN_KIND } from "./kinds/index.ts";
import type { TrainableKind } from "./kinds/kind.ts";
import { measureBestAgain } from "./measure-again.ts";
import type { NewRunPlan, Plan, ResumePlan, RunPlan } from "./plan-run.ts";
import { resumeCommand } from "./resume.ts";

/** A run that is ready to train. */
export interface OpenRun {
  readonly backend: Backend;
  readonly config: RunConfig;
  readonly kind: TrainableKind;
  readonly trainer: Trainer;
  /** The processes that train together; null if this one trains alone. */
  readonly ranks: DataParallel | null;
  readonly directory: RunDirectory;
  readonly path: string;
  /** While it is held, no other program writes to the run. */
  readonly lock: RunLock;
  readonly earlyStopping: EarlyStopping;
  /** What computed the checkpoint that was resumed; null if there is none or it is unknown. */
  readonly savedBy: string | null;
  /** Whether the checkpoint that was resumed was saved before an evaluation that is due. */
  readonly evaluationDue: boolean;
  /** The model that this process starts to fine-tune; null if there is none. */
  readonly startedFrom: string | null;
  /** Lines about what a resume changes. */
  readonly remarks: readonly string[];
  readonly resumeCommand: string;
}

/** See `Context`. */
type BeforeScope = (() => Promise<void>) | null;
type Ranks = DataParallel | null;

/**
 * Opens a planned run: tokenizes its text, allocates the model, locks the run directory and creates it, or restores the
 * latest checkpoint.
 *
 * @param ranks the processes that train together; null if this one trains alone
 * @throws CheckpointError when the directory is in use, was changed since the plan was made, or does not fit
 * @throws BackendError when the backend cannot start
 */
export function openRun(
  plan: RunPlan,
  beforeScope: BeforeScope = null,
  ranks: DataParallel | null = null,
): Promise<OpenRun> {
  return plan.kind === "new"
    ? openNewRun(plan, beforeScope, ranks)
    : openResumedRun(plan, beforeScope, ranks);
}

/** Unlocks the run directory and frees the memory. */
export async function closeRun({ lock, backend }: OpenRun): Promise<void> {
  lock.release();
  await backend.close();
}

async function openNewRun(plan: NewRunPlan, beforeScope: BeforeScope, ranks: Ranks): Promise<OpenRun> {
  const { config, pretrained } = plan;
  const built = await buildRun(plan, beforeScope, ranks);
  pretrained?.fill(built.kind.model.parameters());
  const { path, lock } =
    plan.path === null ? claimNextFolder(plan.name) : claimFolder(plan.path, plan.processes);
  const directory = RunDirectory.create(path, runConfigToJSON(config), optionsFor(config, lock));
  const startedFrom = pretrained?.description ?? null;
  const fresh = { earlyStopping: new EarlyStopping(), savedBy: null, evaluationDue: false, remarks: [] };
  const command = resumeCommand(plan, path, built.backend);
  return { ...built, ...fresh, config, directory, path, lock, startedFrom, resumeCommand: command };
}

async function openResumedRun(plan: ResumePlan, beforeScope: BeforeScope, ranks: Ranks): Promise<OpenRun> {
  const { config, path, checkpoint } = plan;
  const lock = lockRun(path, plan.processes);
  const directory = RunDirectory.open(path, optionsFor(config, lock));
  checkUnchanged(plan, directory);
  const built = await buildRun(plan, beforeScope, ranks);
  const { trainer } = built;
  const { computedBy: savedBy, evaluationDue, covers, earlyStopping } = savedStateOf(checkpoint);
  const again =
    covers === built.kind.covers ? null : await measureBestAgain(built.kind, earlyStopping, directory);
  // A run that stopped before its first checkpoint starts over, with the same result.
  if (checkpoint !== null) resumeFrom(checkpoint, trainer, path);
  // Before the first step that uses them: a kill must not undo a change.
  if (config !== plan.saved) directory.changeConfig(runConfigToJSON(config));
  directory.resumeLog(trainer.stepsDone, config.settings.steps);
  if (again !== null) directory.appendLog({ kind: "evaluation", split: "val", ...again });
  const resumed = { earlyStopping, savedBy, evaluationDue, startedFrom: null, remarks: plan.remarks };
  const command = resumeCommand(plan, path, built.backend);
  return { ...built, ...resumed, config, directory, path, lock, resumeCommand: command };
}

/** Once another process has taken over the run, this one changes nothing in it. */
function optionsFor({ settings }: RunConfig, lock: RunLock): RunDirectoryOptions {
  return { keep: settings.keepCheckpoints, files: lock.guard(nodeFiles) };
}

/** Another process may have trained the run after the plan was made, and before it was locked. */
function checkUnchanged({ path, savedJSON, checkpoint }: ResumePlan, directory: RunDirectory): void {
  const sameConfig = JSON.stringify(directory.config) === JSON.stringify(savedJSON);
  if (sameConfig && directory.latest() === (checkpoint?.name ?? null)) return;
  throw new CheckpointError(`${path}: another process changed it while it was being opened; try again`);
}

/** What every process of a run has. */
export type BuiltRun = Pick<OpenRun, "backend" | "kind" | "trainer" | "ranks">;

/** Tokenizes the text, and allocates the model and what trains it. */
export async function buildRun(plan: Plan, beforeScope: BeforeScope, ranks: Ranks): Promise<BuiltRun> {
  const { config, flags, threads } = plan;
  const text = await tokenizedText(plan);
  const backend = await openBackend(flags, threads);
  const kind = await OPEN_KIND[config.settings.model](new Context(backend, beforeScope), config, text);
  const trainer = new Trainer(kind.model, kind.objective, config.settings, earlierSchedules(config), ranks);
  return { backend, kind, trainer, ranks };
}

async function tokenizedText({ text, length, config, cache }: Plan): Promise<TokenizedText | null> {
  if (text === null || "ids" in text) return text;
  return tokenize(text, config.tokenizer, config.settings.unknown, cache, stderrReporter(), length);
}
