/**
 * The safetensors format: named tensors in one file, which many other programs read and write.
 *
 *   8 bytes    length of the header, little-endian
 *   header     JSON: {"__metadata__": {…}, "name": {"dtype": "F32", "shape": […], "data_offsets": [from, to]}, …}
 *   data       the numbers, little-endian, one tensor after the other; offsets count from here
 *
 * Runs hold only float32 tensors. Numbers keep their bits, NaN and −0 included. Typed arrays are little-endian on every
 * machine that Node runs on, so bytes are copied unchanged.
 * Source: https://github.com/huggingface/safetensors#format
 */
import { CheckpointError } from "../errors.ts";
import { sizeOf } from "../shape.ts";
import { checkHeaderLength, METADATA, PREFIX_BYTES, parseHeader } from "./safetensors-header.ts";

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface SafetensorsContents {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const FLOAT_BYTES = 4;

/** A tensor of a file that is being written. */
export interface TensorToWrite {
  readonly name: string;
  /** The type of its numbers, and the bytes of one. */
  readonly dtype: string;
  readonly width: number;
  readonly shape: readonly number[];
}

/** Encodes tensors as a file, in the order of the map. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const entries = Array.from(tensors, ([name, { shape, values }]) => {
    if (sizeOf(shape) !== values.length) {
      throw new CheckpointError(
        `safetensors: ${name}: shape [${shape}] is ${sizeOf(shape)} numbers: got ${values.length}`,
      );
    }
    return { name, dtype: "F32", width: FLOAT_BYTES, shape };
  });
  const { bytes, data } = startSafetensors(entries, metadata);
  let at = data;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * The bytes of a file with its header, and room for the numbers.
 *
 * @returns data: where the numbers of the first tensor begin; those of the others follow without gaps
 */
export function startSafetensors(
  entries: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): { readonly bytes: Uint8Array; readonly data: number } {
  const { header, dataBytes } = encodeHeader(entries, metadata);
  const data = PREFIX_BYTES + header.length;
  const bytes = new Uint8Array(data + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, PREFIX_BYTES);
  return { bytes, data };
}

/**
 * Decodes a file written by `encodeSafetensors` or any other program. The file is untrusted: everything is checked.
 *
 * @param where the file's name, for messages
 * @throws CheckpointError when the file is damaged, or holds tensors other than float32
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsContents {
  const end = endOfHeader(bytes, where);
  const header = bytes.subarray(PREFIX_BYTES, end);
  const { metadata, entries } = parseHeader(header, bytes.length - end, { F32: FLOAT_BYTES }, where);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, from, to } of entries) {
    // A copy, because a Float32Array needs an offset that is a multiple of four bytes.
    const values = new Float32Array((to - from) / FLOAT_BYTES);
    new Uint8Array(values.buffer).set(bytes.subarray(end + from, end + to));
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata };
}

function endOfHeader(bytes: Uint8Array, where: string): number {
  const length = checkHeaderLength(bytes, where);
  const room = bytes.length - PREFIX_BYTES;
  if (length <= BigInt(room)) return PREFIX_BYTES + Number(length);
  throw new CheckpointError(
    `${where}: is cut short, or not a safetensors file: its header should have ${length} bytes, and ${room} follow`,
  );
}

function encodeHeader(
  entries: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> | undefined,
): { header: Uint8Array; dataBytes: number } {
  // Written by hand: an object would move numeric names to the front.
  const fields = metadata === undefined ? [] : [`"${METADATA}":${JSON.stringify(metadata)}`];
  let dataBytes = 0;
  for (const { name, dtype, width, shape } of entries) {
    if (name === METADATA) throw new CheckpointError(`safetensors: no tensor may be named ${METADATA}`);
    const end = dataBytes + sizeOf(shape) * width;
    const entry = { dtype, shape, data_offsets: [dataBytes, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    dataBytes = end;
  }
  const unpadded = new TextEncoder().encode(`{${fields.join(",")}}`);
  // Padded to a multiple of 8, so that readers can map the data in place.
  const header = new Uint8Array(Math.ceil(unpadded.length / 8) * 8).fill(0x20);
  header.set(unpadded);
  return { header, dataBytes };
}
