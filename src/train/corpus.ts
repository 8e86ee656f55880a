/**
 * A corpus: bytes of a file to text, and token ids to the part that is trained on and the part that is held out.
 * Reads no files: it works on what it is handed.
 */
import { DataError } from "../errors.ts";

/** Views of one corpus, without copies. */
export interface CorpusSplit {
  /** The first nine tenths, which the model learns from. */
  readonly train: Int32Array;
  /** The last tenth, which it never learns from. */
  readonly validation: Int32Array;
  /** Where the validation part starts: floor(0.9·N). */
  readonly boundary: number;
}

/**
 * The text of a UTF-8 file, without a byte order mark.
 *
 * @param where the file's name, for messages
 * @throws DataError when it is empty or not UTF-8
 */
export function decodeCorpus(bytes: Uint8Array, where: string): string {
  const text = decodeStrictly(bytes, where);
  if (text.length === 0) throw new DataError(`${where}: is empty; a corpus needs text`);
  return text;
}

/** @throws DataError when there are no ids */
export function splitCorpus(ids: Int32Array): CorpusSplit {
  if (ids.length === 0) throw new DataError("corpus: is empty; a corpus needs text");
  const boundary = Math.floor((ids.length * 9) / 10);
  return { train: ids.subarray(0, boundary), validation: ids.subarray(boundary), boundary };
}

/**
 * Checks that both parts hold a window: contextLength tokens, and one more to predict.
 *
 * @throws DataError when one is too short
 */
export function checkSplit({ train, validation }: CorpusSplit, contextLength: number): void {
  const shorter = Math.min(train.length, validation.length);
  if (shorter >= contextLength + 1) return;
  const total = train.length + validation.length;
  // ceil(N/10) ≥ T+1 exactly when N ≥ 10·T+1; the training part is then longer.
  const longest = Math.floor((total - 1) / 10);
  throw new DataError(
    `corpus: ${total} tokens are too few for contextLength ${contextLength}: training has ${train.length}, ` +
      `validation ${validation.length}, and each needs ${contextLength + 1}; use a corpus of at least ` +
      `${10 * contextLength + 1} tokens${longest >= 1 ? `, or a contextLength of at most ${longest}` : ""}`,
  );
}

function decodeStrictly(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const at = findInvalidByte(bytes);
    if (at === -1) {
      throw new DataError(
        `${where}: ${bytes.length} bytes are more than one string can hold; use a part of it`,
        {
          cause,
        },
      );
    }
    const hint = looksLikeUtf16(bytes)
      ? "it looks like UTF-16"
      : "it may be in another encoding, such as Latin-1, or not be text";
    throw new DataError(
      `${where}: is not valid UTF-8 at byte ${at} (0x${bytes[at].toString(16).padStart(2, "0")}); ${hint}: convert it to UTF-8 first`,
      { cause },
    );
  }
}

function looksLikeUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The start of the first byte sequence that is not UTF-8 (The Unicode Standard, table 3-7), or −1. */
function findInvalidByte(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

/** Bytes in the character that starts at `at`; 0 when none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  // The second byte keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (!(bytes[at + 1] >= low && bytes[at + 1] <= high)) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let i = 2; i < length; i++) {
    if (!(bytes[at + i] >= 0x80 && bytes[at + i] <= 0xbf)) return 0;
  }
  return length;
}
