/** Whether a text for training comes from standard input, without a flag that says so. */
import { fstatSync, type Stats } from "node:fs";
import type { Readable } from "node:stream";

/** A pipe without a byte for this long is an open end that a program inherited, as in CI or over ssh. */
const PATIENCE_MS = 2000;

/** What standard input holds. */
export type StandardInput =
  /** A terminal, a device, an empty file or a closed pipe. */
  | "nothing"
  /** A pipe that stays open, in which nothing came. */
  | "silence"
  | "text";

/**
 * Looks at standard input. Of a pipe, it waits for the first bytes, which stay in the stream.
 *
 * @param stats  of the descriptor; null if it is closed
 * @param stream opens the stream
 */
export async function lookAtInput(
  stats: Pick<Stats, "isFile" | "isFIFO" | "isSocket" | "size"> | null,
  stream: () => Readable,
  patienceMs = PATIENCE_MS,
): Promise<StandardInput> {
  if (stats?.isFile()) return stats.size > 0 ? "text" : "nothing";
  if (!stats?.isFIFO() && !stats?.isSocket()) return "nothing";
  const input = stream();
  const found = await firstOf(input, patienceMs);
  // A stream that is read no more must not keep the program alive.
  if (found !== "text") input.destroy();
  return found;
}

function firstOf(input: Readable, patienceMs: number): Promise<StandardInput> {
  return new Promise((resolve) => {
    const end = (found: StandardInput) => {
      clearTimeout(timer);
      input.off("readable", onReadable).off("end", onEnd).off("error", onEnd);
      resolve(found);
    };
    const onReadable = () => {
      const chunk: unknown = input.read();
      if (chunk === null) return;
      input.unshift(chunk);
      end("text");
    };
    const onEnd = () => end("nothing");
    const timer = setTimeout(() => end("silence"), patienceMs);
    input.on("readable", onReadable).on("end", onEnd).on("error", onEnd);
  });
}

/** The state of descriptor 0; null if it is closed. */
export function inputStats(): Stats | null {
  try {
    return fstatSync(0);
  } catch {
    return null;
  }
}
