/** Reads GGUF files for tests, from the description of the format alone. */
export interface GGUFFile {
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: ReadonlyMap<string, GGUFTensor>;
}

export interface GGUFTensor {
  /** As in the file: the axis whose numbers are side by side comes first. */
  readonly lengths: readonly number[];
  /** The number of the type of its elements. */
  readonly type: number;
  /** From the start of the file. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

const BYTES_OF_TYPE = new Map([
  [0, 4],
  [1, 2],
  [30, 2],
]);

export function readGGUF(file: Uint8Array): GGUFFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  const skip = (count: number) => {
    at += count;
    return at - count;
  };
  const uint32 = () => view.getUint32(skip(4), true);
  const uint64 = () => Number(view.getBigUint64(skip(8), true));
  const text = () => {
    const length = uint64();
    return new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(skip(length), at));
  };
  const value = (type: number): unknown => {
    if (type === 4) return uint32();
    if (type === 5) return view.getInt32(skip(4), true);
    if (type === 6) return view.getFloat32(skip(4), true);
    if (type === 7) return file[skip(1)] === 1;
    if (type === 8) return text();
    if (type !== 9) throw new Error(`type ${type}`);
    const inner = uint32();
    return Array.from({ length: uint64() }, () => value(inner));
  };

  if (uint32() !== 0x46554747) throw new Error("not GGUF");
  if (uint32() !== 3) throw new Error("version");
  const [tensorCount, entryCount] = [uint64(), uint64()];
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < entryCount; i++) {
    const name = text();
    if (metadata.has(name)) throw new Error(`${name} twice`);
    metadata.set(name, value(uint32()));
  }
  const entries = Array.from({ length: tensorCount }, () => {
    const name = text();
    const lengths = Array.from({ length: uint32() }, uint64);
    return { name, lengths, type: uint32(), offset: uint64() };
  });
  const start = Math.ceil(at / 32) * 32;
  const tensors = new Map<string, GGUFTensor>();
  for (const { name, lengths, type, offset } of entries) {
    const count = lengths.reduce((product, length) => product * length, 1);
    const end = start + offset + count * (BYTES_OF_TYPE.get(type) ?? Number.NaN);
    if (!(end <= file.length)) throw new Error(`${name} ends at ${end} of ${file.length}`);
    tensors.set(name, { lengths, type, at: start + offset, bytes: file.slice(start + offset, end) });
  }
  return { metadata, tensors };
}

/** The numbers of a float32 tensor. */
export function floatsOf({ bytes, type }: GGUFTensor): Float32Array {
  if (type !== 0) throw new Error(`type ${type} is not float32`);
  return new Float32Array(bytes.buffer);
}
