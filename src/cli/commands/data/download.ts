/** Downloads a file of a known size. */
import { DataError } from "../../../errors.ts";
import { formatCount } from "../../../util/format.ts";

/** Calls a function after some time, unless the returned function is called before. */
export type Timer = (expired: () => void) => () => void;

/** A download in which nothing arrives for this time fails. */
const SILENCE_MS = 30_000;

const silenceTimer: Timer = (expired) => {
  const timer = setTimeout(expired, SILENCE_MS);
  return () => clearTimeout(timer);
};

/**
 * Downloads at most `limit` bytes. A slow download may take any time, as long as something arrives.
 *
 * @param onProgress called with the number of bytes received so far
 * @throws DataError if the server cannot be reached, answers with an error, stops sending, or sends more than `limit`
 */
export async function download(
  url: string,
  limit: number,
  onProgress: (bytes: number) => void,
  timer: Timer = silenceTimer,
): Promise<Uint8Array> {
  const abort = new AbortController();
  const wait = () => timer(() => abort.abort(new DataError(`${url}: the server stopped sending; try again`)));
  let received = wait();
  try {
    const { body, ok, status, statusText } = await fetch(url, { signal: abort.signal });
    if (!ok) throw new DataError(`${url}: the server answered ${status} ${statusText}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body ?? []) {
      received();
      received = wait();
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > limit)
        throw new DataError(
          `${url}: returned more than the expected ${formatCount(limit)} bytes; nothing was saved`,
        );
      onProgress(bytes);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof DataError || !(cause instanceof Error)) throw cause;
    const why = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new DataError(
      `${url}: cannot be reached: ${why}; check the network connection, or train on the bundled tales, which need none: npx nopeek train`,
      { cause },
    );
  } finally {
    received();
    // Ends the connection if the body was not read to its end.
    abort.abort();
  }
}
