/**
 * Runs and models on the disk of this machine: what directory.ts and saved-model.ts do with any files, done with
 * Node's.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Context } from "../autograd/context.ts";
import { checkTypes } from "../util/check-types.ts";
import type { Model } from "./build-model.ts";
import type { Checkpoint } from "./checkpoint.ts";
import * as directory from "./directory.ts";
import type { Files } from "./files.ts";
import { nodeFiles } from "./node-files.ts";
import * as saved from "./saved-model.ts";

/** The bundled model. */
export const SHIPPED_MODEL_PATH = fileURLToPath(new URL("../../checkpoints/tales", import.meta.url));

/** An open run directory. */
export type RunDirectory = directory.RunDirectory;

/** Creates, opens and checks run directories: see the static methods of `RunDirectory` in directory.ts. */
export const RunDirectory = {
  checkFree(path: string, files: Files = nodeFiles): void {
    directory.RunDirectory.checkFree(path, files);
  },

  isFree(path: string, files: Files = nodeFiles): boolean {
    return directory.RunDirectory.isFree(path, files);
  },

  isRun(path: string, files: Files = nodeFiles): boolean {
    return directory.RunDirectory.isRun(path, files);
  },

  create(path: string, config: unknown, options: Partial<directory.RunDirectoryOptions> = {}): RunDirectory {
    return directory.RunDirectory.create(path, config, { files: nodeFiles, ...options });
  },

  open(path: string, options: Partial<directory.RunDirectoryOptions> = {}): RunDirectory {
    return directory.RunDirectory.open(path, { files: nodeFiles, ...options });
  },
};

/** See directory.ts. */
export function readRunConfig(path: string): unknown {
  return directory.readRunConfig(path, nodeFiles);
}

/** See directory.ts. */
export function readLatestCheckpoint(path: string): (Checkpoint & { readonly name: string }) | null {
  return directory.readLatestCheckpoint(path, nodeFiles);
}

/** See directory.ts. A relative path may be ".", in a step directory. */
export function loadModelFiles(path: string, which?: string): directory.ModelFiles {
  return directory.loadModelFiles(resolve(path), which, nodeFiles);
}

/**
 * Reads a trained model.
 *
 * @param path  a run directory, or one of its step directories
 * @param which "latest", "best" or the name of a step directory; by default the best
 * @throws CheckpointError when it does not hold a complete model that fits its config
 */
export function readSavedModel(path: string, which?: string): saved.SavedModel {
  checkTypes("loadModel", { path }, { path: "string" });
  return saved.readSavedModel(resolve(path), which, nodeFiles);
}

/** Loads a model of any kind, as `nopeek train` saves it. Throws as `readSavedModel` does. */
export function loadModel(context: Context, path: string, which?: string): saved.LoadedModel<Model> {
  checkTypes("loadModel", { context, path }, { context: ["parameter"], path: "string" });
  return saved.loadModel(context, resolve(path), which, nodeFiles);
}

/**
 * Loads a GPT, by default the bundled one.
 *
 * @throws CheckpointError as `readSavedModel` does
 * @throws ConfigError when the model is of another kind
 */
export function loadGPT(
  context: Context,
  path: string = SHIPPED_MODEL_PATH,
  which?: string,
): saved.LoadedModel {
  checkTypes("loadGPT", { context, path }, { context: ["parameter"], path: "string" });
  return saved.loadGPT(context, resolve(path), which, nodeFiles);
}
