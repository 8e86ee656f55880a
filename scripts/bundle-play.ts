/** Bundles the page of `nopeek play` into dist/play/: the page, its engine and the engine's threads. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { licensesOf } from "./licenses.ts";

/** @param root the folder of package.json, ending in a slash */
export async function bundlePlay(root: string): Promise<void> {
  const out = `${root}dist/play/`;
  mkdirSync(out, { recursive: true });
  const options: BuildOptions = {
    plugins: [withoutUnusedZod, withoutTokenizers(`${root}src/play/engine/no-tokenizer.ts`)],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    charset: "utf8",
    metafile: true,
  };
  const bundles = await Promise.all([
    build({ ...options, entryPoints: [`${root}src/play/page/main.ts`], outfile: `${out}page.js` }),
    bundleEngine(`${root}src/play/engine/main.ts`, out, options),
    build({
      ...options,
      entryPoints: [`${root}src/backend/wasm/threads/web-worker.js`],
      outfile: `${out}thread.js`,
    }),
    build({ ...options, entryPoints: [`${root}src/play/page/style/style.css`], outfile: `${out}style.css` }),
  ]);
  writeFileSync(`${out}licenses.txt`, licenses(root, bundles));
  for (const name of ["index.html", "icon.svg"])
    copyFileSync(`${root}src/play/page/${name}`, `${out}${name}`);
}

/** One call through a namespace object makes the bundler keep all of zod's helpers. */
const withoutUnusedZod: Plugin = {
  name: "without unused parts of zod",
  setup: ({ onLoad }) =>
    onLoad({ filter: /zod[\\/]v4[\\/]mini[\\/]schemas\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll("core.util.", "util."),
    })),
};

/** Puts a refusal in place of the tokenizers for which the page's engine has no room. */
const withoutTokenizers = (refusal: string): Plugin => ({
  name: "without tokenizers",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(?:bpe|huggingface)-tokenizer\.ts$/ }, () => ({ path: refusal })),
});

/** The site is published without the packages, so their licenses come with it. */
function licenses(root: string, bundles: readonly { readonly metafile?: Metafile | undefined }[]): string {
  const inputs: Metafile["inputs"] = Object.assign({}, ...bundles.map(({ metafile }) => metafile?.inputs));
  return `nopeek:\n\n${readFileSync(`${root}LICENSE`, "utf8").trim()}\n\n${licensesOf({ inputs })}`;
}

/**
 * Each dynamic import of the engine becomes a separate file, and so does what several files share. The bundler names them
 * by a hash. src/play/assets.ts lists them, so they get fixed names here, the largest shared file first.
 */
async function bundleEngine(
  entry: string,
  out: string,
  options: BuildOptions,
): Promise<{ metafile: Metafile | undefined }> {
  const { outputFiles = [], metafile } = await build({
    ...options,
    entryPoints: { engine: entry },
    outdir: out,
    splitting: true,
    chunkNames: "engine-[name]-[hash]",
    write: false,
  });
  const names = new Map<string, string>();
  let shared = 0;
  for (const { path } of outputFiles.toSorted((a, b) => b.contents.length - a.contents.length)) {
    const [, name] = /^engine-(.*)-[A-Z0-9]{8}\.js$/.exec(basename(path)) ?? [];
    if (name === undefined) names.set(basename(path), basename(path));
    else names.set(basename(path), name === "chunk" ? `engine-shared-${++shared}.js` : `engine-${name}.js`);
  }
  for (const { path, text } of outputFiles) {
    const renamed = text.replaceAll(/engine-[\w-]+-[A-Z0-9]{8}\.js/g, (name) => names.get(name) ?? name);
    writeFileSync(`${out}${names.get(basename(path))}`, renamed);
  }
  return { metafile };
}
