/**
 * The GGUF format, version 3: metadata and named tensors in one file, as llama.cpp reads them.
 *
 *   "GGUF", version (uint32), number of tensors, number of metadata entries (uint64 each)
 *   metadata   for each entry: name, type (uint32), value
 *   tensors    for each: name, number of axes (uint32), their lengths, last axis first (uint64 each), type of number
 *              (uint32), offset in the data (uint64)
 *   data       the numbers of each tensor; it and every tensor begin at a multiple of 32 bytes
 *
 * Text is its length in bytes (uint64) and UTF-8. Everything is little-endian.
 * Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { ConfigError } from "../../errors.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import type { NumberType } from "../number-types.ts";
import { toHalves } from "../write-safetensors.ts";
import { ByteWriter } from "./byte-writer.ts";

const MAGIC = 0x46554747;
const VERSION = 3;
const ALIGNMENT = 32;
const LONGEST_NAME = 63;

/** Types of metadata, by their number in the file. */
const TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** Types of tensor elements, by their number in the file. */
const ELEMENTS: Readonly<Record<NumberType, number>> = { f32: 0, f16: 1, bf16: 30 };

/** A value of the metadata with its type. */
export type MetadataValue =
  | { readonly type: "uint32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "int32s"; readonly value: readonly number[] };

export interface GGUFContents {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Encodes a file.
 *
 * @param dtype how the numbers of matrices are stored; those of vectors are float32
 * @throws ConfigError if the name of a tensor is longer than llama.cpp reads, or a number too large for its type
 */
export function encodeGGUF({ metadata, tensors }: GGUFContents, dtype: NumberType = "f32"): Uint8Array {
  const layout = layOut(tensors, dtype);
  const header = new ByteWriter();
  header.uint32(MAGIC);
  header.uint32(VERSION);
  header.uint64(tensors.size);
  header.uint64(metadata.size);
  for (const [name, entry] of metadata) {
    header.text(name);
    writeValue(header, entry);
  }
  for (const entry of layout.entries) writeEntry(header, entry);
  const start = aligned(header.length);
  const bytes = new Uint8Array(start + layout.dataBytes);
  bytes.set(header.bytes());
  for (const entry of layout.entries) bytes.set(encodeNumbers(entry), start + entry.from);
  return bytes;
}

interface Entry extends StoredTensor {
  readonly name: string;
  readonly element: NumberType;
  /** The offset in the data. */
  readonly from: number;
}

function layOut(
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype: NumberType,
): { entries: readonly Entry[]; dataBytes: number } {
  const entries: Entry[] = [];
  let dataBytes = 0;
  for (const [name, { shape, values }] of tensors) {
    if (new TextEncoder().encode(name).length > LONGEST_NAME) {
      throw new ConfigError(`gguf: the name of a tensor has at most ${LONGEST_NAME} bytes: got "${name}"`);
    }
    const element = shape.length === 1 ? "f32" : dtype;
    entries.push({ name, shape, values, element, from: dataBytes });
    dataBytes = aligned(dataBytes + values.length * (element === "f32" ? 4 : 2));
  }
  return { entries, dataBytes };
}

function writeEntry(header: ByteWriter, { name, shape, element, from }: Entry): void {
  header.text(name);
  header.uint32(shape.length);
  for (const length of [...shape].reverse()) header.uint64(length);
  header.uint32(ELEMENTS[element]);
  header.uint64(from);
}

function writeValue(header: ByteWriter, entry: MetadataValue): void {
  switch (entry.type) {
    case "uint32":
      header.uint32(TYPES.uint32);
      header.uint32(entry.value);
      break;
    case "float32":
      header.uint32(TYPES.float32);
      header.float32(entry.value);
      break;
    case "bool":
      header.uint32(TYPES.bool);
      header.uint8(entry.value ? 1 : 0);
      break;
    case "string":
      header.uint32(TYPES.string);
      header.text(entry.value);
      break;
    case "strings":
      startArray(header, TYPES.string, entry.value.length);
      for (const text of entry.value) header.text(text);
      break;
    case "int32s":
      startArray(header, TYPES.int32, entry.value.length);
      for (const number of entry.value) header.uint32(number);
      break;
  }
}

function startArray(header: ByteWriter, type: number, length: number): void {
  header.uint32(TYPES.array);
  header.uint32(type);
  header.uint64(length);
}

function encodeNumbers({ name, values, element }: Entry): Uint8Array {
  const numbers = element === "f32" ? values : toHalves(name, values, element);
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function aligned(at: number): number {
  return Math.ceil(at / ALIGNMENT) * ALIGNMENT;
}
