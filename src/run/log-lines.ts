/** Reads the lines of a file of any length, in constant memory. */
import type { Files } from "./files.ts";

const PART_BYTES = 1 << 20;
/** In bytes. No entry of a log is longer. */
const LINE_LIMIT = 1 << 20;
const LF = 10;

export interface Span {
  /** Where to stop. A program may append to the file meanwhile. */
  readonly end: number;
  /** How much is read at once. */
  readonly partBytes?: number;
}

/** The lines before `end`, without line feeds. Lines of more than a megabyte are left out. */
export function* linesOf(
  files: Files,
  file: string,
  { end, partBytes = PART_BYTES }: Span,
): Generator<string> {
  const decoder = new TextDecoder();
  /** The parts of a line whose end has not been read. */
  let open: Uint8Array[] = [];
  let openBytes = 0;
  for (let at = 0; at < end; ) {
    const part = files.readPart(file, at, Math.min(partBytes, end - at));
    if (part.length === 0) break;
    at += part.length;
    const first = part.indexOf(LF);
    const last = part.lastIndexOf(LF);
    if (first >= 0) {
      if (openBytes + first <= LINE_LIMIT) yield decoder.decode(join([...open, part.subarray(0, first)]));
      open = [];
      openBytes = 0;
      // All at once, because decoding each line takes longer.
      if (first < last) yield* decoder.decode(part.subarray(first + 1, last)).split("\n");
    }
    openBytes += part.length - last - 1;
    // Of a line that is too long, the rest is not kept.
    if (openBytes <= LINE_LIMIT) open.push(part.subarray(last + 1));
    else open = [];
  }
  if (openBytes > 0 && openBytes <= LINE_LIMIT) yield decoder.decode(join(open));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
