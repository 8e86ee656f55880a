/** The Markdown pages that people read. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Paths of all pages. The log is left out: it records what was true when it was written. */
export const PAGES: readonly string[] = [
  ...markdownIn("."),
  ...markdownIn("docs"),
  "checkpoints/README.md",
  "scripts/api-docs/README.md",
  ...guidesUnder("src"),
].filter((path) => path !== "docs/LOG.md");

export function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A command line of a page, without its prompt, comment and line breaks. */
export interface ShownCommand {
  readonly page: string;
  readonly line: string;
}

/** Every line in a code block that starts `npx`, `npm` or `nopeek`, also behind a pipe or `&&`, and every inline one. */
export function commandsIn(page: string, text: string): ShownCommand[] {
  const joined = text.replaceAll(/\s*\\\n\s*/g, " ");
  const lines = joined.split("\n").filter((line) => !line.startsWith("#"));
  const inline = [...joined.matchAll(/`((?:npx|npm) [^`\n]+)`/g)].map(([, code]) => code);
  const starts = /^\s*(?:\$ )?(?:\S+ \S+ \| )?((?:npx|npm) .*)$/;
  const whole = lines.flatMap((line) => starts.exec(line)?.[1] ?? []);
  return [...whole, ...inline]
    .map((line) => line.replace(/\s+#.*$/, ""))
    .flatMap((line) => line.split(" && "))
    .map((line) => ({ page, line: line.trim() }));
}

/** The README of each folder that has one. */
function guidesUnder(folder: string): string[] {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return paths
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith("/README.md"))
    .sort();
}

function markdownIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  return names.map((name) => (folder === "." ? name : `${folder}/${name}`));
}
