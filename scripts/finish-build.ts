/**
 * After tsc: what the compiled program in dist/ needs besides JavaScript. The kernels go where it looks for them, its
 * entry may be executed, and the packages that it imports are put into a few files: node spends longer on opening
 * zod's hundred than on all else before the first token. What a source that is gone has left there goes.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = ["commander", "get-east-asian-width", "seedrandom", "zod"];

removeLeftovers();
mkdirSync(`${root}dist/backend/wasm`, { recursive: true });
for (const module of ["kernels.wasm", "kernels-fast.wasm"]) {
  copyFileSync(`${root}src/backend/wasm/${module}`, `${root}dist/backend/wasm/${module}`);
}
await bundlePackages();
chmodSync(`${root}dist/cli/main.js`, 0o755);

/** Our own files stay what and where they are: a reader finds them, and they find what stands beside them. */
async function bundlePackages(): Promise<void> {
  const importsPackage = new RegExp(`\\bfrom "(${packages.join("|")})"`);
  const files = readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js"))
    .map((path) => `${root}dist/${path}`)
    .filter((path) => importsPackage.test(readFileSync(path, "utf8")));
  await build({
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
