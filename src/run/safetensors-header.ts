/**
 * The header of a safetensors file: which tensors it holds, and where. It is untrusted: everything is checked.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { sizeOf } from "../shape.ts";
import { findDuplicateKey } from "../util/duplicate-key.ts";
import { nestsTooDeep } from "../util/json-depth.ts";

/** The bytes that hold the length of the header. */
export const PREFIX_BYTES = 8;
export const METADATA = "__metadata__";
/** A model of a thousand layers takes 2 MB. */
const HEADER_LIMIT = 1 << 23;

/** Bytes of one number, by type. */
export type NumberTypes = Readonly<Record<string, number>>;

/** A tensor in a file. Offsets count from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

export interface SafetensorsHeader {
  /** In the order of the data. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Parses a header and checks that its tensors fill the data, without gaps or overlaps.
 *
 * @param header    its bytes
 * @param dataBytes how many bytes follow it
 * @param types     the types that are allowed
 * @param where     the file, for messages
 * @throws CheckpointError when it is damaged, or holds numbers of another type
 */
export function parseHeader(
  header: Uint8Array,
  dataBytes: number,
  types: NumberTypes,
  where: string,
): SafetensorsHeader {
  const json = decodeUTF8(header, where);
  const parsed = parseObject(json, where);
  const duplicate = findDuplicateKey(json);
  if (duplicate !== null) {
    throw new CheckpointError(`${where}: is damaged: ${brief(duplicate)} appears twice in its header`);
  }
  let metadata: Record<string, string> = {};
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === METADATA) metadata = parseMetadata(value, where);
    else entries.push(parseEntry(name, value, types, where));
  }
  // An empty tensor comes before the one at the same offset.
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  checkLayout(entries, dataBytes, where);
  return { entries, metadata };
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

function decodeUTF8(header: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw new CheckpointError(`${where}: is damaged: its header is not UTF-8`, { cause });
  }
}

const index = z.int().check(z.minimum(0));
const tensorLayout = z.strictObject({
  dtype: z.string(),
  shape: z.array(index),
  data_offsets: z.array(index).check(z.length(2)),
});

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

function parseEntry(name: string, value: unknown, types: NumberTypes, where: string): TensorEntry {
  const result = tensorLayout.safeParse(value);
  if (!result.success || !Object.hasOwn(types, result.data.dtype)) {
    const allowed = Object.keys(types)
      .map((type) => `"${type}"`)
      .join(" or ");
    throw new CheckpointError(
      `${where}: tensor ${brief(name)} should be {"dtype": ${allowed}, "shape": […], "data_offsets": [from, to]} with whole numbers ≥ 0: got ${brief(value)}`,
    );
  }
  const { dtype, shape, data_offsets } = result.data;
  const [from, to] = data_offsets;
  const bytes = sizeOf(shape) * types[dtype];
  if (to - from !== bytes) {
    throw new CheckpointError(
      `${where}: tensor ${brief(name)} of shape ${brief(shape)} needs ${bytes} bytes: got ${to - from}, from ${from} to ${to}`,
    );
  }
  return { name, dtype, shape, from, to };
}

function checkLayout(entries: readonly TensorEntry[], dataBytes: number, where: string): void {
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

/** A value for a message, shortened if it is long. */
function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
}
