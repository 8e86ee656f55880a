/**
 * The tensors of a folder of safetensors, one file or several. Headers are read and checked at once, numbers when they
 * are asked for: of a large model, one tensor at a time is in memory twice.
 */
import { CheckpointError } from "../../errors.ts";
import type { Files } from "../../run/files.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import {
  checkHeaderLength,
  PREFIX_BYTES,
  parseHeader,
  type TensorEntry,
} from "../../run/safetensors-header.ts";
import { joinPath } from "../../util/paths.ts";
import { printableJson } from "../../util/printable.ts";
import { fromBfloat16, fromFloat16 } from "../half-floats.ts";
import type { TensorSource } from "../maps/tensor-map.ts";
import { regularFile, weightFiles } from "./folder.ts";

/** The types of numbers that a file may hold. Only the first three are read; buffers may have the others. */
const BYTES: Readonly<Record<string, number>> = {
  ...{ F32: 4, F16: 2, BF16: 2 },
  ...{
    F64: 8,
    I64: 8,
    U64: 8,
    I32: 4,
    U32: 4,
    I16: 2,
    U16: 2,
    I8: 1,
    U8: 1,
    BOOL: 1,
    F8_E4M3: 1,
    F8_E5M2: 1,
  },
};
/** Buffers of earlier versions of transformers and of nanoGPT: masks, and the angles of rotary positions. */
const BUFFER =
  /(?:^|\.)(?:attn|attention)\.(?:bias|masked_bias)$|(?:^|\.)rotary_emb(?:\.|$)|(?:^|\.)inv_freq$/;
/** What PyTorch's wrappers put before every name, and what some files leave out. */
const WRAPPERS = /^(?:_orig_mod\.|module\.)+/;
const BASE = /^(?:transformer|model|gpt_neox)\./;

interface Place extends TensorEntry {
  readonly file: string;
  /** The name in the file. */
  readonly stored: string;
  /** Where the data of the file begins. */
  readonly start: number;
}

export class ForeignTensors implements TensorSource {
  readonly #files: Files;
  readonly #places = new Map<string, Place>();
  readonly #asked = new Set<string>();

  /** @throws CheckpointError if a file is missing, damaged, or disagrees with the index */
  constructor(files: Files, folder: string) {
    this.#files = files;
    const { names, index } = weightFiles(files, folder);
    for (const name of names) this.#addFile(joinPath(folder, name), name, index);
    for (const [name, file] of index ?? [])
      if (!this.#places.has(canonical(name)) && !BUFFER.test(name))
        throw new CheckpointError(
          `${joinPath(folder, file)}: lacks the tensor ${printableJson(name)}, which the index places here`,
        );
  }

  /** The shape and the type of a tensor; undefined if there is none of this name. */
  find(name: string): Pick<TensorEntry, "shape" | "dtype"> | undefined {
    return this.#places.get(canonical(name));
  }

  /** The names, without buffers. */
  names(): string[] {
    return [...this.#places.values()].map(({ stored }) => stored);
  }

  /** The types of the numbers, without buffers. */
  types(): string[] {
    return [...new Set([...this.#places.values()].map(({ dtype }) => dtype))];
  }

  /** Tensors that were not asked for. */
  unused(): string[] {
    return [...this.#places].filter(([name]) => !this.#asked.has(name)).map(([, { stored }]) => stored);
  }

  /** Counts a tensor as asked for. */
  skip(name: string): void {
    this.#asked.add(canonical(name));
  }

  /**
   * Reads a tensor as float32.
   *
   * @throws CheckpointError if it has numbers of another type, or one that is not finite
   */
  get(name: string): StoredTensor | undefined {
    const place = this.#places.get(canonical(name));
    if (place === undefined) return undefined;
    this.skip(name);
    const { file, stored, dtype, shape, start, from, to } = place;
    const bytes = this.#files.readPart(file, start + from, to - from);
    if (bytes.length !== to - from) throw new CheckpointError(`${file}: was cut short while it was read`);
    const values = numbersOf(bytes, dtype);
    if (values === null)
      throw new CheckpointError(
        `${file}: the numbers of ${printableJson(stored)} must be F32, F16 or BF16: got ${dtype}; convert them first, as with model.float().save_pretrained(…)`,
      );
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw new CheckpointError(
        `${file}: ${printableJson(stored)} holds ${values[wrong]} at position ${wrong}: no model computes with it`,
      );
    return { shape, values };
  }

  #addFile(file: string, name: string, index: ReadonlyMap<string, string> | null): void {
    const bytes = regularFile(this.#files, file);
    const length = Number(checkHeaderLength(this.#files.readPart(file, 0, PREFIX_BYTES), file));
    const start = PREFIX_BYTES + length;
    if (start > bytes)
      throw new CheckpointError(
        `${file}: is cut short: its header should have ${length} bytes, and ${bytes - PREFIX_BYTES} follow`,
      );
    const header = this.#files.readPart(file, PREFIX_BYTES, length);
    for (const entry of parseHeader(header, bytes - start, BYTES, file).entries) {
      if (BUFFER.test(entry.name)) continue;
      const where = index?.get(entry.name) ?? (index === null ? name : undefined);
      if (where !== name)
        throw new CheckpointError(
          `${file}: holds ${printableJson(entry.name)}, which the index ${where === undefined ? "does not name" : `places in ${printableJson(where)}`}`,
        );
      const other = this.#places.get(canonical(entry.name));
      if (other !== undefined)
        throw new CheckpointError(
          `${file}: ${printableJson(entry.name)} and ${printableJson(other.stored)} are the same tensor, twice`,
        );
      this.#places.set(canonical(entry.name), { ...entry, stored: entry.name, file, start });
    }
  }
}

/** A name without wrappers and without the name of the model's body, which some files leave out. */
function canonical(name: string): string {
  return name.replace(WRAPPERS, "").replace(BASE, "");
}

/** null for a type that is not read. */
function numbersOf(bytes: Uint8Array, dtype: string): Float32Array | null {
  if (dtype === "F32") return new Float32Array(aligned(bytes));
  if (dtype === "F16") return fromFloat16(new Uint16Array(aligned(bytes)));
  if (dtype === "BF16") return fromBfloat16(new Uint16Array(aligned(bytes)));
  return null;
}

/** The bytes in a separate buffer, from its start on. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === byteLength) return buffer;
  return new Uint8Array(bytes).buffer;
}
