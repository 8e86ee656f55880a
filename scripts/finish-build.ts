/**
 * After tsc: what the compiled program in dist/ needs besides JavaScript. The kernels go where it looks for them, its
 * entry may be executed, and the packages that it imports are put into a few files: node spends longer on opening
 * zod's hundred than on all else before the first token. The script of a report's page becomes one file with all that
 * it needs. What a source that is gone has left there goes.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import manifest from "../package.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = [
  "commander",
  "d3-array",
  "d3-scale",
  "d3-shape",
  "get-east-asian-width",
  "seedrandom",
  "zod",
];

removeLeftovers();
for (const folder of ["backend/wasm", "report/browser"])
  mkdirSync(`${root}dist/${folder}`, { recursive: true });
for (const module of ["kernels.wasm", "kernels-fast.wasm"]) {
  copyFileSync(`${root}src/backend/wasm/${module}`, `${root}dist/backend/wasm/${module}`);
}
await bundlePage();
await bundlePackages();
chmodSync(`${root}dist/cli/main.js`, 0o755);

/** Our own files stay what and where they are: a reader finds them, and they find what stands beside them. */
async function bundlePackages(): Promise<void> {
  const importsPackage = new RegExp(`\\bfrom "(${packages.join("|")})"`);
  const files = readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js"))
    .map((path) => `${root}dist/${path}`)
    .filter((path) => importsPackage.test(readFileSync(path, "utf8")));
  const { metafile } = await build({
    entryPoints: files,
    outdir: `${root}dist`,
    outbase: `${root}dist`,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: true,
    metafile: true,
    chunkNames: "packages/[name]-[hash]",
    // Packages in the older module format ask for node's own modules by `require`.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
    plugins: [
      {
        name: "only packages",
        setup({ onResolve }) {
          onResolve({ filter: /^\.{1,2}\// }, ({ importer, path }) => {
            return importer.startsWith(`${root}dist/`) ? { path, external: true } : null;
          });
        },
      },
    ],
  });
  writeFileSync(`${root}dist/packages/LICENSES.txt`, licensesOf(metafile));
}

/** What runs in a report's page; a report carries it along, and the licenses of what it is made of. */
async function bundlePage(): Promise<void> {
  const page = "dist/report/browser/page.js";
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/report/browser/page.ts"],
    outfile: page,
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    metafile: true,
    write: false,
  });
  const [{ text }] = outputFiles;
  // It stands in a script element, which these characters would end.
  if (/<\/script|<!--/i.test(text)) throw new Error(`${page}: holds what ends a script element`);
  writeFileSync(`${root}${page}`, `/*\n${licensesOf(metafile)}*/\n${text}`);
}

/** The license of each package that is in a bundle and nowhere else: the others are installed, each with its own. */
function licensesOf({ inputs }: Metafile): string {
  const used = Object.keys(inputs).flatMap(
    (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  const texts = new Map<string, string[]>();
  for (const name of [...new Set(used)].sort()) {
    if (name in manifest.dependencies) continue;
    const folder = `${root}node_modules/${name}`;
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${folder}: has no license that could be passed on`);
    const text = readFileSync(`${folder}/${file}`, "utf8").trim();
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  return [...texts].map(([text, names]) => `${names.join(", ")}:\n\n${text}\n\n`).join("");
}

/** It would be packed, and found by whoever looks for what is there. */
function removeLeftovers(): void {
  // Named after their contents: those of this build are made anew.
  rmSync(`${root}dist/packages`, { recursive: true, force: true });
  for (const path of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
    const source = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(path)?.[1];
    if (source === undefined) continue;
    if (![".ts", ".js"].some((type) => existsSync(`${root}src/${source}${type}`)))
      rmSync(`${root}dist/${path}`);
  }
}
