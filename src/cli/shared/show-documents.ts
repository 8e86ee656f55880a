/** How the documents that a model writes are shown below each other. */
import type { DocumentsKind } from "../../config/choices.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

/** What follows each document. */
export function separatorOf(kind: DocumentsKind): string {
  return kind === "lines" ? "\n" : "\n\n";
}

/** Decodes ids, with each end of a document shown as its separator. */
export function showDocuments(tokenizer: Tokenizer, ids: readonly number[], kind: DocumentsKind): string {
  const documents: number[][] = [[]];
  for (const id of ids) {
    if (id === tokenizer.endOfText) documents.push([]);
    else documents[documents.length - 1].push(id);
  }
  return documents.map((document) => tokenizer.decode(document)).join(separatorOf(kind));
}
