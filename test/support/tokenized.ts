/** Tokenizes a text in memory as `nopeek train` tokenizes a file. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tokenizerFor } from "../../src/cli/shared/read-corpus.ts";
import type { Settings } from "../../src/config/settings.ts";
import { readCorpus } from "../../src/data/corpus.ts";
import { IN_MEMORY_ONLY } from "../../src/data/token-cache.ts";
import { tokenize } from "../../src/data/tokenized-corpus.ts";

/** The text is null for seq2seq models, which train on generated strings. */
export async function tokenized(settings: Settings, text: string) {
  const tell = { note: () => {}, status: () => {} };
  if (settings.model === "seq2seq")
    return { tokenizer: await tokenizerFor(settings, null, tell), text: null };
  const folder = mkdtempSync(join(tmpdir(), "nopeek-text-"));
  try {
    writeFileSync(join(folder, "text.txt"), text);
    const corpus = await readCorpus(join(folder, "text.txt"));
    const tokenizer = await tokenizerFor(settings, corpus, tell);
    return { tokenizer, text: await tokenize(corpus, tokenizer, settings.unknown, IN_MEMORY_ONLY, tell) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
