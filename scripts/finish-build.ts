/**
 * Completes dist/ after tsc:
 *
 * - copies the kernels to where the program looks for them
 * - bundles the packages that the library imports into a few files (Node takes longer to open the hundred files of zod
 *   than to do everything else before the first token)
 * - bundles the program into one file, which starts faster and opens few files
 * - bundles the library for browsers into one file, and the script of report pages into another
 * - bundles the page of `nopeek play` into three files
 * - removes outputs of deleted sources
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
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, transform } from "esbuild";
import manifest from "../package.json" with { type: "json" };
import { bundlePlay } from "./bundle-play.ts";
import { licensesOf } from "./licenses.ts";

/** They are installed with their own licenses. */
const INSTALLED = Object.keys(manifest.dependencies);
const root = fileURLToPath(new URL("..", import.meta.url));
const packages = [
  "@huggingface/tokenizers",
  "commander",
  "d3-array",
  "d3-scale",
  "d3-shape",
  "get-east-asian-width",
  "seedrandom/lib/alea.js",
  "zod/mini",
  "zod/v4/locales/en.js",
];

/** The start of a bundle: CommonJS packages load Node's modules with `require`. */
const REQUIRE =
  'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

/** A module in a bundle still finds files beside the place that it has in the library. */
const ownURLs = (bundle: string): Plugin => ({
  name: "own URLs",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const place = relative(dirname(`${root}src/${bundle}`), path)
        .replaceAll("\\", "/")
        .replace(/\.ts$/, ".js");
      const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
      return { contents: source.replaceAll("import.meta.url", url), loader: "ts" };
    });
  },
});

/** A source map of an empty first line: esbuild ignores one without a mapping. */
const NO_MAP = Buffer.from('{"version":3,"sources":[""],"mappings":"AAAA"}').toString("base64");

/**
 * Packages are minified, without source maps. Our own code stays readable.
 */
const slimPackages: Plugin = {
  name: "slim packages",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => {
      const source = readFileSync(path, "utf8");
      // The names of a module are its own, those of a script are not.
      const format = /^(?:import|export)\b/m.test(source) ? { format: "esm" as const } : {};
      const { code } = await transform(source, { minify: true, ...format });
      return {
        contents: `\n${code}\n//# sourceMappingURL=data:application/json;base64,${NO_MAP}`,
        loader: "js",
      };
    });
  },
};

/** Layers that only the program uses, and what stays of them: the program, and the script that report pages embed. */
const PROGRAM_LAYERS = ["cli", "lesson", "play", "report"];
const KEPT = ["cli/main.js", "report/browser"];

removeLeftovers();
for (const folder of ["backend/wasm", "report/browser"])
  mkdirSync(`${root}dist/${folder}`, { recursive: true });
for (const module of ["kernels.wasm", "kernels-fast.wasm"]) {
  copyFileSync(`${root}src/backend/wasm/${module}`, `${root}dist/backend/wasm/${module}`);
}
await bundlePage();
removeProgramModules();
await bundlePlay(root);
await bundlePackages();
await bundleProgram();
await bundleBrowserLibrary();
chmodSync(`${root}dist/cli/main.js`, 0o755);

/** The library's files keep their names and places, so people can read them and relative imports still work. */
async function bundlePackages(): Promise<void> {
  const importsPackage = new RegExp(`\\bfrom "(${packages.join("|")})"`);
  const files = readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js") && !PROGRAM_LAYERS.includes(path.split(/[\\/]/)[0]))
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
    sourcesContent: false,
    metafile: true,
    chunkNames: "packages/[name]-[hash]",
    banner: { js: REQUIRE },
    plugins: [
      slimPackages,
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
  writeFileSync(`${root}dist/packages/LICENSES.txt`, licensesOf(metafile, INSTALLED));
  for (const name of readdirSync(`${root}dist/packages`)) removeMap(`${root}dist/packages/${name}`);
}

/** The maps of the packages are larger than all of dist/, and no stack trace of ours needs them. */
function removeMap(file: string): void {
  if (file.endsWith(".map")) rmSync(file);
  else writeFileSync(file, readFileSync(file, "utf8").replace(/^\/\/# sourceMappingURL=.*\n?/m, ""));
}

/** Removes what tsc made of modules that only the program uses: its file contains them. */
function removeProgramModules(): void {
  for (const layer of PROGRAM_LAYERS) {
    for (const name of readdirSync(`${root}dist/${layer}`))
      if (!KEPT.includes(`${layer}/${name}`)) rmSync(`${root}dist/${layer}/${name}`, { recursive: true });
  }
}

/**
 * The program in one file. The source map stays out of the package, for its size: there, stack
 * traces name the functions and lines of the bundle.
 */
async function bundleProgram(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/cli/main.js",
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["koffi"],
    sourcemap: "external",
    sourcesContent: false,
    banner: { js: REQUIRE },
    plugins: [ownURLs("cli/main.ts"), slimPackages],
  });
}

/** The library for browsers in one file, which a page can import as it is: browsers find no packages. */
async function bundleBrowserLibrary(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/browser.ts"],
    outfile: "dist/browser.js",
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    plugins: [ownURLs("browser.ts"), slimPackages],
  });
  rmSync(`${root}dist/browser.js.map`, { force: true });
}

/** Bundles the script that report pages embed, with the licenses of the packages it contains. */
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
  // The script is embedded in a script element, which these characters would end.
  if (/<\/script|<!--/i.test(text)) throw new Error(`${page}: contains text that ends a script element`);
  writeFileSync(`${root}${page}`, `/*\n${licensesOf(metafile, INSTALLED)}*/\n${text}`);
}

/** Removes outputs of deleted sources, which would otherwise be published and importable. */
function removeLeftovers(): void {
  // File names contain a hash of the contents; this build creates them again.
  rmSync(`${root}dist/packages`, { recursive: true, force: true });
  for (const path of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
    const source = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(path)?.[1];
    if (source === undefined) continue;
    if (![".ts", ".js"].some((type) => existsSync(`${root}src/${source}${type}`)))
      rmSync(`${root}dist/${path}`);
  }
}
