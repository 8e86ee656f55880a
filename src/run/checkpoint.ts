/**
 * A checkpoint on disk: the weights, the optimizer state and the trainer state after one step. A damaged one is rejected.
 *
 *   model.safetensors      the weights, under their names in `parameters()`
 *   optimizer.safetensors  the optimizer's tensors
 *   state.json             format, version, step, SHA-256 of the two files, the trainer state, and the SHA-256 of all
 *                          that as compact JSON
 */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { IN_ENGLISH } from "../util/english.ts";
import { joinPath } from "../util/paths.ts";
import type { Files } from "./files.ts";
import { encodeJSON, readJSON } from "./json.ts";
import { readSafetensors, type StoredTensor, safetensorsPieces } from "./safetensors.ts";
import { withCurrentNames } from "./tensor-names.ts";

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

export interface Checkpoint {
  /** Number of updates made. */
  readonly step: number;
  readonly model: StoredTensors;
  readonly optimizer: StoredTensors;
  /** The rest of the trainer state, as JSON. */
  readonly state: Readonly<Record<string, unknown>>;
}

const FORMAT = "nopeek step";
const VERSION = 1;
const MODEL = "model.safetensors";
const OPTIMIZER = "optimizer.safetensors";
const STATE = "state.json";
const STATE_LIMIT = 1 << 20;
/** As much as one process can hold. */
const TENSORS_LIMIT = 2 ** 32;

/** The name of a step directory, "step-000500", which sorts by step up to a million steps. */
export function stepFolderName(step: number): string {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new CheckpointError(`a step is a whole number ≥ 0: got ${step}`);
  }
  return `step-${String(step).padStart(6, "0")}`;
}

/** The step in a directory's name; null for any other name. */
export function stepOfName(name: string): number | null {
  const digits = /^step-(\d{6}|[1-9]\d{6,14})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Writes the files of a checkpoint into `folder`, an empty directory. */
export function writeCheckpoint(files: Files, folder: string, contents: Checkpoint): void {
  const write = (file: string, tensors: StoredTensors) => {
    const pieces = safetensorsPieces(tensors);
    files.write(joinPath(folder, file), pieces);
    return files.sha256(pieces);
  };
  const hashes = { [MODEL]: write(MODEL, contents.model), [OPTIMIZER]: write(OPTIMIZER, contents.optimizer) };
  const body = {
    format: FORMAT,
    version: VERSION,
    step: contents.step,
    files: hashes,
    state: contents.state,
  };
  const state = { ...body, sha256: files.sha256(encode(JSON.stringify(body))) };
  files.write(joinPath(folder, STATE), encodeJSON(state, STATE));
}

/** @throws CheckpointError when a file is missing, damaged or of another version */
export function readCheckpoint(files: Files, folder: string): Checkpoint {
  const { step, hashes, state } = readState(files, folder);
  const model = readTensors(files, joinPath(folder, MODEL), hashes[MODEL]);
  const optimizer = readTensors(files, joinPath(folder, OPTIMIZER), hashes[OPTIMIZER]);
  return { step, model, optimizer, state };
}

/** Reads the weights alone; the optimizer's file may be missing. */
export function readCheckpointModel(files: Files, folder: string): { step: number; model: StoredTensors } {
  const { step, hashes } = readState(files, folder);
  return { step, model: readTensors(files, joinPath(folder, MODEL), hashes[MODEL]) };
}

/** Whether the file of weights is the one that the step was saved with. @throws CheckpointError if state.json is damaged */
export function hasSavedModel(files: Files, folder: string): boolean {
  const { hashes } = readState(files, folder);
  return files.sha256Of(joinPath(folder, MODEL), TENSORS_LIMIT) === hashes[MODEL];
}

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const stateLayout = z.strictObject({
  format: z.string(),
  version: z.int(),
  step: z.int().check(z.minimum(0)),
  files: z.strictObject({ [MODEL]: hash, [OPTIMIZER]: hash }),
  state: z.record(z.string(), z.unknown()),
  sha256: hash,
});

function readState(files: Files, folder: string) {
  const file = joinPath(folder, STATE);
  const result = stateLayout.safeParse(readJSON(files, file, STATE_LIMIT, FORMAT, VERSION), IN_ENGLISH);
  if (!result.success) {
    throw new CheckpointError(`${file}: is damaged: ${z.prettifyError(result.error)}`);
  }
  const { format, version, step, files: hashes, state, sha256: expected } = result.data;
  const listed = { [MODEL]: hashes[MODEL], [OPTIMIZER]: hashes[OPTIMIZER] };
  const body = JSON.stringify({ format, version, step, files: listed, state });
  checkHash(file, files.sha256(encode(body)), expected);
  return { step, hashes, state };
}

function readTensors(files: Files, file: string, expected: string): StoredTensors {
  const { tensors, pieces } = files.open(file, TENSORS_LIMIT, (opened) => readSafetensors(opened, file));
  checkHash(file, files.sha256(pieces), expected);
  return withCurrentNames(tensors);
}

function checkHash(file: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new CheckpointError(
    `${file}: is damaged: its SHA-256 should be ${expected.slice(0, 12)}…: got ${found.slice(0, 12)}…`,
  );
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
