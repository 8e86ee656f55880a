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
import { joinBytes } from "../util/join-bytes.ts";
import type { OpenedFile } from "./files.ts";
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
  return joinBytes(safetensorsPieces(tensors, metadata));
}

/** The same file in pieces, in order: the header, and the numbers of each tensor in its own memory, not copied. */
export function safetensorsPieces(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  const entries = Array.from(tensors, ([name, { shape, values }]) => {
    if (sizeOf(shape) !== values.length) {
      throw new CheckpointError(
        `safetensors: ${name}: shape [${shape}] is ${sizeOf(shape)} numbers: got ${values.length}`,
      );
    }
    return { name, dtype: "F32", width: FLOAT_BYTES, shape };
  });
  const numbers = Array.from(
    tensors.values(),
    ({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  return [startOfSafetensors(entries, metadata), ...numbers];
}

/**
 * Decodes a file written by `encodeSafetensors` or any other program. The file is untrusted: everything is checked.
 *
 * @param where the file's name, for messages
 * @throws CheckpointError when the file is damaged, or holds tensors other than float32
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsContents {
  // Copies, because a Float32Array needs an offset that is a multiple of four bytes.
  return decode(
    (start, length) => new Uint8Array(bytes.subarray(start, start + length)),
    bytes.length,
    where,
  );
}

/**
 * Reads an open file tensor by tensor, so that nothing of it is in memory twice. Throws as `decodeSafetensors` does.
 *
 * @returns pieces: the bytes that were read, which are the whole file; the tensors share their memory
 */
export function readSafetensors(
  { bytes, readPart }: OpenedFile,
  where: string,
): SafetensorsContents & { readonly pieces: readonly Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  const read = (start: number, length: number) => {
    const piece = readPart(start, length);
    pieces.push(piece);
    return piece;
  };
  return { ...decode(read, bytes, where), pieces };
}

/** @param read gives bytes in a new buffer; it is asked for each byte once, in order */
function decode(
  read: (start: number, length: number) => Uint8Array,
  bytes: number,
  where: string,
): SafetensorsContents {
  const end = endOfHeader(read(0, PREFIX_BYTES), bytes, where);
  const header = read(PREFIX_BYTES, end - PREFIX_BYTES);
  const { metadata, entries } = parseHeader(header, bytes - end, { F32: FLOAT_BYTES }, where);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, from, to } of entries) {
    const { buffer, length } = read(end + from, to - from);
    if (length !== to - from) throw new CheckpointError(`${where}: was cut short while it was read`);
    tensors.set(name, { shape, values: new Float32Array(buffer, 0, length / FLOAT_BYTES) });
  }
  return { tensors, metadata };
}

function endOfHeader(start: Uint8Array, bytes: number, where: string): number {
  const length = checkHeaderLength(start, where);
  const room = bytes - PREFIX_BYTES;
  if (length <= BigInt(room)) return PREFIX_BYTES + Number(length);
  throw new CheckpointError(
    `${where}: is cut short, or not a safetensors file: its header should have ${length} bytes, and ${room} follow`,
  );
}

/** The bytes of a file before its numbers, which follow in the order of the entries, without gaps. */
export function startOfSafetensors(
  entries: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
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
  const length = Math.ceil(unpadded.length / 8) * 8;
  const start = new Uint8Array(PREFIX_BYTES + length).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  start.set(unpadded, PREFIX_BYTES);
  return start;
}
