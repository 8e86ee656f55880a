/**
 * The safetensors format: named tensors in one file, which many other programs read and write.
 *
 *   8 bytes    length of the header, little-endian
 *   header     JSON: {"__metadata__": {…}, "name": {"dtype": "F32", "shape": […], "data_offsets": [from, to]}, …}
 *   data       the numbers, little-endian, one tensor after the other; offsets count from here
 *
 * Only float32 tensors are read and written. Numbers keep their bits, NaN and −0 included. Typed arrays are
 * little-endian on every machine that Node runs on, so bytes are copied unchanged.
 * Source: https://github.com/huggingface/safetensors#format
 */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { findDuplicateKey } from "../util/duplicate-key.ts";
import { nestsTooDeep } from "../util/json-depth.ts";

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface SafetensorsContents {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes that hold the length of the header. */
export const PREFIX_BYTES = 8;
/** A model of a thousand layers takes 2 MB. */
const HEADER_LIMIT = 1 << 23;
const FLOAT_BYTES = 4;
const METADATA = "__metadata__";

/** Encodes tensors as a file, in the order of the map. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const { header, dataBytes } = encodeHeader(tensors, metadata);
  const bytes = new Uint8Array(PREFIX_BYTES + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, PREFIX_BYTES);
  let at = PREFIX_BYTES + header.length;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Decodes a file written by `encodeSafetensors` or any other program. The file is untrusted: everything is checked.
 *
 * @param where the file's name, for messages
 * @throws CheckpointError when the file is damaged, or holds tensors other than float32
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsContents {
  const header = readHeader(bytes, where);
  const { metadata, entries } = parseHeader(header.json, where);
  checkLayout(entries, header.dataBytes, where);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, from, to } of entries) {
    // A copy, because a Float32Array needs an offset that is a multiple of four bytes.
    const values = new Float32Array((to - from) / FLOAT_BYTES);
    new Uint8Array(values.buffer).set(bytes.subarray(header.end + from, header.end + to));
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata };
}

function encodeHeader(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> | undefined,
): { header: Uint8Array; dataBytes: number } {
  // Written by hand: an object would move numeric names to the front.
  const fields = metadata === undefined ? [] : [`"${METADATA}":${JSON.stringify(metadata)}`];
  let dataBytes = 0;
  for (const [name, { shape, values }] of tensors) {
    if (name === METADATA) throw new CheckpointError(`safetensors: no tensor may be named ${METADATA}`);
    if (product(shape) !== values.length) {
      throw new CheckpointError(
        `safetensors: ${name}: shape [${shape}] is ${product(shape)} numbers: got ${values.length}`,
      );
    }
    const end = dataBytes + values.byteLength;
    const entry = { dtype: "F32", shape, data_offsets: [dataBytes, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    dataBytes = end;
  }
  const unpadded = new TextEncoder().encode(`{${fields.join(",")}}`);
  // Padded to a multiple of 8, so that readers can map the data in place.
  const header = new Uint8Array(Math.ceil(unpadded.length / 8) * 8).fill(0x20);
  header.set(unpadded);
  return { header, dataBytes };
}

/**
 * Checks the length of a header before it is read.
 *
 * @param start the first `PREFIX_BYTES` of the file, or more
 * @param where the file's name, for messages
 * @returns     the length in bytes
 * @throws CheckpointError when the header is longer than that of any model, or `start` is too short
 */
export function checkHeaderLength(start: Uint8Array, where: string): bigint {
  if (start.length < PREFIX_BYTES) {
    throw new CheckpointError(
      `${where}: is cut short: a safetensors file has at least ${PREFIX_BYTES} bytes: got ${start.length}`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  if (length <= HEADER_LIMIT) return length;
  throw new CheckpointError(
    `${where}: is damaged, or not a safetensors file: its header should have at most ${HEADER_LIMIT} bytes: got ${length}`,
  );
}

function readHeader(bytes: Uint8Array, where: string): { json: string; end: number; dataBytes: number } {
  const length = checkHeaderLength(bytes, where);
  const room = bytes.length - PREFIX_BYTES;
  if (length > BigInt(room)) {
    throw new CheckpointError(
      `${where}: is cut short, or not a safetensors file: its header should have ${length} bytes, and ${room} follow`,
    );
  }
  const end = PREFIX_BYTES + Number(length);
  try {
    const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(PREFIX_BYTES, end),
    );
    return { json, end, dataBytes: bytes.length - end };
  } catch (cause) {
    throw new CheckpointError(`${where}: is damaged: its header is not UTF-8`, { cause });
  }
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

const index = z.int().check(z.minimum(0));
const tensorLayout = z.strictObject({
  dtype: z.literal("F32"),
  shape: z.array(index),
  data_offsets: z.tuple([index, index]),
});

function parseHeader(
  json: string,
  where: string,
): { metadata: Record<string, string>; entries: readonly Entry[] } {
  const header = parseObject(json, where);
  const duplicate = findDuplicateKey(json);
  if (duplicate !== null) {
    throw new CheckpointError(`${where}: is damaged: ${brief(duplicate)} appears twice in its header`);
  }
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = parseMetadata(value, where);
    else entries.push(parseEntry(name, value, where));
  }
  // In the order of the data; an empty tensor comes before the one at the same offset.
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  return { metadata, entries };
}

function parseObject(json: string, where: string): object {
  if (nestsTooDeep(json)) throw new CheckpointError(`${where}: is damaged: its header nests too deep`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new CheckpointError(`${where}: is damaged: its header is not JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CheckpointError(
      `${where}: is not a safetensors file: expected a header {…}: got ${brief(value)}`,
    );
  }
  return value;
}

function parseMetadata(value: unknown, where: string): Record<string, string> {
  const pairs = typeof value === "object" && value !== null ? Object.entries(value) : null;
  if (pairs === null || Array.isArray(value) || pairs.some(([, text]) => typeof text !== "string")) {
    throw new CheckpointError(
      `${where}: is damaged: ${METADATA} should hold strings by name: got ${brief(value)}`,
    );
  }
  return Object.fromEntries(pairs);
}

function parseEntry(name: string, value: unknown, where: string): Entry {
  const result = tensorLayout.safeParse(value);
  if (!result.success) {
    throw new CheckpointError(
      `${where}: tensor ${brief(name)} should be {"dtype": "F32", "shape": […], "data_offsets": [from, to]} with whole numbers ≥ 0: got ${brief(value)}`,
    );
  }
  const { shape, data_offsets } = result.data;
  const [from, to] = data_offsets;
  if (to - from !== product(shape) * FLOAT_BYTES) {
    throw new CheckpointError(
      `${where}: tensor ${brief(name)} of shape ${brief(shape)} needs ${product(shape) * FLOAT_BYTES} bytes: got ${to - from}, from ${from} to ${to}`,
    );
  }
  return { name, shape, from, to };
}

/** Checks that the tensors fill the data, without gaps or overlaps. */
function checkLayout(entries: readonly Entry[], dataBytes: number, where: string): void {
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end) {
      throw new CheckpointError(
        `${where}: tensor ${brief(name)} should start at byte ${end} of the data, where the previous one ends: got ${from}`,
      );
    }
    if (to > dataBytes) {
      throw new CheckpointError(
        `${where}: is cut short: tensor ${brief(name)} ends at byte ${to} of the data, which has ${dataBytes}`,
      );
    }
    end = to;
  }
  if (end !== dataBytes) {
    throw new CheckpointError(
      `${where}: is damaged: its tensors fill ${end} bytes of data: got ${dataBytes}`,
    );
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** A value for a message, shortened if it is long. */
function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
}
