/** Documents of a text in memory, computed naively, to check streaming against. */
import type { DocumentsKind } from "../../src/config/choices.ts";

/** The documents of the files of a text, which are joined as `readTexts` joins them. */
export function documentsOf(files: readonly string[], kind: DocumentsKind): string[] {
  const joined =
    files.length === 1 ? [...files] : files.map((file) => (file.endsWith("\n") ? file : `${file}\n`));
  if (kind === "none") return [joined.join("")];
  if (kind === "files") return joined;
  const ends = kind === "lines" ? /\r\n|\r|\n/ : /(?:\r\n|\r(?!\n)|\n){2,}/;
  const breaks = /^[\r\n]+|[\r\n]+$/g;
  return joined.flatMap((file) => file.replace(breaks, "").split(ends)).filter((document) => document !== "");
}
