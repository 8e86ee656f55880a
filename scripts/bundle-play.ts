/** Bundles the page of `nopeek play` into dist/play/: the page, its engine and the engine's threads. */
import { copyFileSync, mkdirSync } from "node:fs";
import { type BuildOptions, build } from "esbuild";

/** @param root the folder of package.json, ending in a slash */
export async function bundlePlay(root: string): Promise<void> {
  const out = `${root}dist/play/`;
  mkdirSync(out, { recursive: true });
  const options: BuildOptions = {
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
  };
  await Promise.all([
    build({ ...options, entryPoints: [`${root}src/play/page/main.ts`], outfile: `${out}page.js` }),
    build({ ...options, entryPoints: [`${root}src/play/engine/main.ts`], outfile: `${out}engine.js` }),
    build({
      ...options,
      entryPoints: [`${root}src/backend/wasm/threads/web-worker.js`],
      outfile: `${out}thread.js`,
    }),
    build({ ...options, entryPoints: [`${root}src/play/page/style/style.css`], outfile: `${out}style.css` }),
  ]);
  for (const name of ["index.html", "icon.svg"])
    copyFileSync(`${root}src/play/page/${name}`, `${out}${name}`);
}
