/** Makes the static site of the page from dist/, data/ and checkpoints/. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ASSETS } from "../src/play/assets.ts";
import { META_POLICY } from "../src/play/headers.ts";
import { REGISTER, SERVICE_WORKER } from "../src/play/site-files.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes the site into a folder, which it replaces. All addresses in it are relative, so it works in any folder of any
 * host.
 *
 * @param edit changes the page
 * @returns the name of the build: a hash of its files
 */
export async function buildSite(out: string, edit = (page: string) => page): Promise<string> {
  const files = new Map<string, Uint8Array | string>();
  for (const { path, file } of ASSETS) files.set(path, readFileSync(join(root, file)));
  const page = edit(String(files.get("")));
  files.set("", page);
  files.set(REGISTER.path, await bundle("src/play/register.ts"));
  const onDemand = ASSETS.filter(({ group }) => group === "on demand");
  const [name, data] = [
    nameOf(files, [...files.keys()]),
    nameOf(
      files,
      onDemand.map(({ path }) => path),
    ),
  ];

  rmSync(out, { recursive: true, force: true });
  files.delete("");
  for (const [path, contents] of files) write(join(out, name, path), contents);
  write(join(out, "index.html"), sitePage(page, name));
  const names = { BUILD: JSON.stringify(name), DATA: JSON.stringify(data) };
  write(join(out, SERVICE_WORKER), await bundle("src/play/service-worker.ts", names));
  return name;
}

/**
 * The page with addresses in the folder of the build, and with what `nopeek play` does in other ways: the policy, which
 * it sends as a header, and the service worker.
 */
function sitePage(page: string, build: string): string {
  const parts = page.split(/(?<=<head>)|(?=<\/head>)/);
  if (parts.length !== 3) throw new Error("index.html: has no head in which the policy could be");
  const policy = `<meta http-equiv="content-security-policy" content="${META_POLICY}">`;
  const script = `<script src="${REGISTER.path}" defer></script>`;
  const whole = `${parts[0]}\n${policy}${parts[1]}${script}\n${parts[2]}`;
  return whole.replaceAll(/(?<=\b(?:src|href)=")(?=[\w-]+\.(?:js|css|svg|txt)")/g, `${build}/`);
}

async function bundle(entry: string, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    define,
    write: false,
  });
  return outputFiles[0].text;
}

function nameOf(files: ReadonlyMap<string, Uint8Array | string>, paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const contents = Buffer.from(files.get(path) ?? "");
    hash.update(`${path} ${contents.length}\n`);
    hash.update(contents);
  }
  return hash.digest("hex").slice(0, 16);
}

function write(place: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, contents);
}
