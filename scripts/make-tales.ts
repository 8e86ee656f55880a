/**
 * Generates the embedded corpus: `data/tales.txt`, about a million characters of short tales from a seeded grammar,
 * and `data/tales.json`, facts about it (above all, its entropy).
 *
 *     npx tsx scripts/make-tales.ts            writes both files
 *     npx tsx scripts/make-tales.ts --check    exits with status 1 if the files on disk are out of date
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeCorpus } from "./tales/corpus.ts";

const { text, facts } = makeCorpus();
const files = [
  { path: fileURLToPath(new URL("../data/tales.txt", import.meta.url)), contents: text },
  {
    path: fileURLToPath(new URL("../data/tales.json", import.meta.url)),
    contents: `${JSON.stringify(facts, null, 2)}\n`,
  },
];

for (const { path, contents } of files) {
  if (!process.argv.includes("--check")) writeFileSync(path, contents);
  else if (readFileSync(path, "utf8") !== contents) {
    console.error(
      `${path} differs from the output of scripts/make-tales.ts: run npx tsx scripts/make-tales.ts`,
    );
    process.exitCode = 1;
  }
}
