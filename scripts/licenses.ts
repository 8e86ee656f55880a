/** The licenses of bundled packages. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Metafile } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The licenses of the packages in a bundle, each text once, with the packages that have it.
 *
 * @param except packages that are installed with their own licenses
 * @throws Error for a package without a license
 */
export function licensesOf({ inputs }: Pick<Metafile, "inputs">, except: readonly string[] = []): string {
  const used = Object.keys(inputs).flatMap(
    (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  const texts = new Map<string, string[]>();
  for (const name of [...new Set(used)].sort()) {
    if (except.includes(name)) continue;
    const text = licenseIn(`${root}node_modules/${name}`);
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  return [...texts].map(([text, names]) => `${names.join(", ")}:\n\n${text}\n\n`).join("");
}

/** From the license file, or from that section of the README. */
function licenseIn(folder: string): string {
  const names = readdirSync(folder);
  const file = names.find((each) => /^licen[cs]e/i.test(each));
  if (file !== undefined) return readFileSync(`${folder}/${file}`, "utf8").trim();
  const page = names.find((each) => /^readme/i.test(each));
  const text = page === undefined ? "" : readFileSync(`${folder}/${page}`, "utf8");
  const section = /^#* *licen[cs]e\b.*\n-*\n([\s\S]*)/im.exec(text)?.[1];
  if (section === undefined) throw new Error(`${folder}: has no license to include`);
  return section.trim();
}
