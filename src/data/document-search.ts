/** Looks texts up among the documents of a text, in constant memory. */
import { DOCUMENT_END } from "./documents.ts";

/**
 * Those of the wanted texts that are documents, from the first character to the last.
 *
 * @param chunks the bytes of a text with its documents marked (see documents.ts); chunks may end anywhere
 * @example
 * const copied = await documentsAmong(corpus.markedBytes(), new Set(["emma", "emmalia"]));
 */
export async function documentsAmong(
  chunks: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<string>,
): Promise<Set<string>> {
  const found = new Set<string>();
  const encoder = new TextEncoder();
  let longest = 0;
  for (const text of wanted) longest = Math.max(longest, encoder.encode(text).length);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The current document, as far as it can be a wanted one, and its length. */
  const bytes = new Uint8Array(longest);
  let length = 0;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const mark = chunk.indexOf(DOCUMENT_END, start);
      const end = mark < 0 ? chunk.length : mark;
      if (length + end - start <= longest) bytes.set(chunk.subarray(start, end), length);
      length += end - start;
      start = end + 1;
      if (mark < 0) break;
      const text = length <= longest ? decoder.decode(bytes.subarray(0, length)) : null;
      if (text !== null && wanted.has(text)) found.add(text);
      length = 0;
    }
  }
  return found;
}
