/** Files are opened, created and made folders for in one place each, which checks what it opens. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

const CHECKED =
  /\b(?:(?:read|write|append|copy)File(?:Sync)?|open(?:Sync|AsBlob)|mkdir(?:Sync)?|create(?:Read|Write)Stream|cpSync|truncateSync)\b/g;

/** What may be used elsewhere: for files of nopeek itself, of /proc, and for open descriptors. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "backend/native/find-library.ts": ["readFileSync"],
  "backend/open.ts": ["readFile"],
  "cli/main.ts": ["readFileSync"],
  "cli/commands/lesson/leakage.ts": ["readFileSync"],
  "cli/commands/play/server.ts": ["readFile"],
  "cli/commands/plot/command.ts": ["readFileSync"],
  "cli/commands/verify/checks-for-kind.ts": ["readFileSync"],
  "cli/options/prompts.ts": ["readFileSync"],
  "cli/shared/process-lock.ts": ["readFileSync"],
  "cli/shared/readable-stack.ts": ["readFileSync"],
  "cli/shared/usable-cpus.ts": ["readFileSync"],
  "data/corpus.ts": ["readFile"],
  "data/text-files.ts": ["createReadStream", "openSync"],
  "run/make-folders.ts": ["mkdirSync"],
  "run/node-files.ts": ["openSync", "writeFileSync"],
  "run/regular-file.ts": ["openSync"],
  "run/save-file.ts": ["writeFileSync"],
};

/** The operations that the imports of a file name. */
function importedBy(path: string): string[] {
  const text = readFileSync(join(source, path), "utf8");
  const imports = text.match(/^import [^;]*? from "node:fs(?:\/promises)?";$/gm) ?? [];
  return [...new Set(imports.flatMap((line) => line.match(CHECKED) ?? []))].sort();
}

it("opens files and makes folders only in the modules that check them", () => {
  const paths = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  const used = paths.map((path) => [path.replaceAll("\\", "/"), importedBy(path)] as const);
  expect(Object.fromEntries(used.filter(([, names]) => names.length > 0))).toEqual(ALLOWED);
});
