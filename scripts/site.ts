/** Makes the static site of the page from dist/, data/ and checkpoints/. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ASSETS } from "../src/play/assets.ts";
import { META_POLICY } from "../src/play/headers.ts";
import { REGISTER, SERVICE_WORKER, type SiteBuild } from "../src/play/site-build.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes the site into a folder, which it replaces. All addresses in it are relative, so it works in any folder of any
 * host.
 *
 * @param changed contents that replace files, by their path in the site
 * @returns the hash that identifies its contents
 */
export async function buildSite(
  out: string,
  changed: Readonly<Record<string, string>> = {},
): Promise<string> {
  const files = new Map<string, Uint8Array | string>();
  for (const { path, file } of ASSETS) files.set(path, readFileSync(join(root, file)));
  files.set("", withHead(String(files.get(""))));
  files.set(REGISTER.path, await bundle("src/play/register.ts"));
  for (const [path, contents] of Object.entries(changed)) files.set(path, contents);

  const integrity = Object.fromEntries(
    Array.from(files, ([path, contents]) => [path, integrityOf(contents)]),
  );
  const version = hash(JSON.stringify(integrity)).toString("hex").slice(0, 16);
  files.set(SERVICE_WORKER, await bundle("src/play/service-worker.ts", { version, integrity }));

  rmSync(out, { recursive: true, force: true });
  for (const [path, contents] of files) {
    const place = join(out, path === "" ? "index.html" : path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents);
  }
  return version;
}

/** Adds what `nopeek play` does in other ways: the policy, which it sends as a header, and the service worker. */
function withHead(page: string): string {
  const policy = `<meta http-equiv="content-security-policy" content="${META_POLICY}">`;
  const parts = page.split(/(?<=<head>)|(?=<\/head>)/);
  if (parts.length !== 3) throw new Error("index.html: has no head in which the policy could go");
  return `${parts[0]}\n${policy}${parts[1]}<script src="${REGISTER.path}" defer></script>\n${parts[2]}`;
}

async function bundle(entry: string, siteBuild?: SiteBuild): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    define: siteBuild === undefined ? {} : { SITE_BUILD: JSON.stringify(siteBuild) },
    write: false,
  });
  return outputFiles[0].text;
}

/** Source: https://www.w3.org/TR/SRI/ */
function integrityOf(contents: Uint8Array | string): string {
  return `sha256-${hash(contents).toString("base64")}`;
}

function hash(contents: Uint8Array | string): Buffer {
  return createHash("sha256").update(contents).digest();
}
