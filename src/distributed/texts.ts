/** Texts between ranks: settings, paths, messages. */
import type { Communicator } from "./communicator.ts";

/** The text of rank 0, on every rank. The others pass null. */
export async function broadcastText(communicator: Communicator, text: string | null): Promise<string> {
  const bytes = new TextEncoder().encode(text ?? "");
  const length = Float64Array.of(bytes.length);
  await communicator.broadcast(length);
  const received = communicator.rank === 0 ? bytes : new Uint8Array(length[0]);
  if (received.length > 0) await communicator.broadcast(received);
  return new TextDecoder().decode(received);
}

/** The texts of all ranks, on every rank. */
export async function gatherTexts(communicator: Communicator, text: string): Promise<string[]> {
  const { size } = communicator;
  const bytes = new TextEncoder().encode(text);
  const lengths = new Float64Array(size);
  await communicator.gather(Float64Array.of(bytes.length), lengths);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
  const padded = new Uint8Array(longest);
  padded.set(bytes);
  const all = new Uint8Array(size * longest);
  await communicator.gather(padded, all);
  return Array.from(lengths, (length, rank) =>
    new TextDecoder().decode(all.subarray(rank * longest, rank * longest + length)),
  );
}
