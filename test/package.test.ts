/** What `npm pack` gives, installed in an empty folder without running any script: the program, the library, its types. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { ASSETS } from "../src/play/assets.ts";
import { makeFolder, START_MS } from "./support/program.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = makeFolder();
const home = join(folder, "home");
const installed = join(home, "node_modules/nopeek");
const MEGABYTE = 1e6;

let tarball = "";

/** Runs a command as the user's shell would, without the variables that npm sets for its scripts. */
function run(directory: string, command: string, ...words: readonly string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return promisify(execFile)(command, words, { cwd: directory, env });
}

beforeAll(async () => {
  const { stdout } = await run(
    root,
    "npm",
    "pack",
    "--silent",
    "--ignore-scripts",
    "--pack-destination",
    folder,
  );
  tarball = join(folder, stdout.trim());
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // The packages that it needs come from here: nothing is downloaded.
  const needed = Object.keys(manifest.dependencies).map((name) => join(root, "node_modules", name));
  const words = ["--ignore-scripts", "--offline", "--omit=optional", "--no-audit", "--no-fund"];
  await run(home, "npm", "install", ...words, "--cache", join(folder, "cache"), tarball, ...needed);
}, START_MS);

/** Every file of the package, by its path in it. */
function files(): string[] {
  return readdirSync(installed, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => statSync(join(installed, path)).isFile());
}

describe("the package", () => {
  test("holds what is needed and nothing else", () => {
    const needed = [
      "dist/cli/main.js",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/ops/index.js",
      "dist/backend/wasm/kernels.wasm",
      "dist/backend/wasm/threads/worker.js",
      "dist/backend/wasm/threads/web-worker.js",
      "dist/browser.js",
      "dist/browser.d.ts",
      "dist/report/browser/page.js",
      "dist/packages/LICENSES.txt",
      "data/tales.txt",
      "data/tales.json",
      "checkpoints/tales/config.json",
      "docs/tour.md",
      "docs/cli.md",
      "docs/examples/train.ts",
      "README.md",
      "CHANGELOG.md",
      "SECURITY.md",
      "LICENSE",
      "package.json",
    ];
    for (const { file } of ASSETS) needed.push(file);
    expect(files()).toEqual(expect.arrayContaining(needed));
    const known =
      /^(dist\/.*\.(js|js\.map|d\.ts|wasm)|dist\/packages\/LICENSES\.txt|dist\/play\/(index\.html|style\.css|icon\.svg|licenses\.txt)|src\/.*\.(ts|js|c|h)|src\/play\/page\/.*\.(html|css|svg)|src\/.*\/README\.md|data\/tales\.(txt|json)|checkpoints\/(README\.md|tales\/.*)|docs\/([a-z]+\.md|examples\/.*\.ts)|(README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/;
    expect(files().filter((path) => !known.test(path))).toEqual([]);
    expect(statSync(tarball).size).toBeLessThan(3.9 * MEGABYTE);
  });

  test("every compiled file has its source, and none knows this machine", () => {
    const all = new Set(files());
    for (const path of all) {
      const source = /^dist\/(?!packages\/|play\/)(.*)\.js$/.exec(path)?.[1];
      if (source !== undefined) {
        expect(all.has(`src/${source}.ts`) || all.has(`src/${source}.js`), path).toBe(true);
      }
      const text = readFileSync(join(installed, path), "latin1");
      for (const place of [root, `${homedir()}/`])
        expect(text.includes(place), `${path}: ${place}`).toBe(false);
    }
  });

  test("its declarations are for TypeScript 5.4 and newer: no typed array is generic", () => {
    const generic = /\b(?:Uint8|Int32|Uint32|Float32|Float64)Array</;
    const declarations = new Map<string, string>();
    const read = (path: string): void => {
      if (declarations.has(path)) return;
      const text = readFileSync(path, "utf8");
      declarations.set(path, text);
      for (const [, target] of text.matchAll(/from "(\.[^"]+)\.[jt]s"/g))
        read(join(path, "..", `${target}.d.ts`));
    };
    for (const entry of ["dist/index.d.ts", "dist/browser.d.ts", "dist/ops/index.d.ts"])
      read(join(installed, entry));
    expect(declarations.size).toBeGreaterThan(50);
    expect([...declarations].filter(([, text]) => generic.test(text)).map(([path]) => path)).toEqual([]);
  });

  test("each source map is there, and maps a file whose map it is", () => {
    const all = new Set(files());
    for (const path of all) {
      expect(path).not.toMatch(/\.map\.map$/);
      if (path.endsWith(".map")) expect(all.has(path.replace(/\.map$/, "")), path).toBe(true);
      if (!path.endsWith(".js")) continue;
      const named = /^\/\/# sourceMappingURL=(.*)$/m.exec(readFileSync(join(installed, path), "utf8"))?.[1];
      if (named !== undefined) expect(all.has(join(path, "..", named)), path).toBe(true);
    }
  });

  test("asks npm to run nothing when it is installed", () => {
    for (const name of ["preinstall", "install", "postinstall"])
      expect(manifest.scripts).not.toHaveProperty(name);
  });
});

test("the program runs", async () => {
  const { stdout } = await run(home, "npx", "--offline", "nopeek", "sample", "--tokens", "20", "--seed", "1");
  expect(stdout.trim().length).toBeGreaterThan(5);
  expect(stdout.length).toBeLessThanOrEqual(22);
});

test("the program plots, without the packages that its charts are made with", async () => {
  const shipped = "node_modules/nopeek/checkpoints/tales";
  await run(
    home,
    "npx",
    "--offline",
    "nopeek",
    "plot",
    shipped,
    "--html",
    "report.html",
    "--svg",
    "losses.svg",
  );
  expect(readFileSync(join(home, "report.html"), "utf8")).toContain("no step yet");
  expect(readFileSync(join(home, "losses.svg"), "utf8")).toContain("entropy floor 0.5146");
  expect(readdirSync(join(home, "node_modules")).filter((name) => name.startsWith("d3"))).toEqual([]);
});

const PROGRAM = `// @ts-check
import { Context, generateText, loadGPT, openBackend, Random, resolveSettings } from "nopeek";
import { softmax } from "nopeek/ops";

const backend = await openBackend("wasm", 2);
const context = new Context(backend);
const values = await context.scope("no-grad", () => softmax(context.constant([3], [1, 2, 3])).read());
/** @type {number} */
const last = values[2];
/** @type {"gpt" | "encoder" | "seq2seq"} */
const kind = resolveSettings({ steps: 3 }).model;
const { model, tokenizer } = loadGPT(context);
let text = "";
const options = { tokens: 9, random: Random.of(1) };
for await (const piece of generateText(model, tokenizer, "One ", options)) text += piece;
console.log(JSON.stringify({ last, kind, characters: text.length }));
await backend.close();
`;

/** Uses that are mistakes: where the types do not say so, the directive is what tsc complains of. */
const MISTAKES = `// @ts-check
import { Context, generateText, GPT, openBackend, Random, resolveSettings, trainGPT } from "nopeek";
import { softmax } from "nopeek/ops";
// @ts-expect-error no such setting
resolveSettings({ stepz: 3 });
// @ts-expect-error no such setting
trainGPT("To be or not to be", { stepz: 3 });
// @ts-expect-error no such choice
trainGPT("To be or not to be", { schedule: "cosin" });
// @ts-expect-error no such backend
openBackend("wsam");
// @ts-expect-error no such mode
new Context(await openBackend()).scope("rember", () => 1);
// @ts-expect-error no tensor
softmax([1, 2, 3]);
// @ts-expect-error a model needs a config
new GPT(new Context(await openBackend()), {}, Random.of(1));
// @ts-expect-error no such export
import { Contxt } from "nopeek";
// @ts-expect-error what is inside is not for import
import "nopeek/dist/index.js";
void Contxt, generateText;
`;

describe("the library", () => {
  test("is imported, and computes on two threads", async () => {
    writeFileSync(join(home, "program.js"), PROGRAM);
    const { stdout } = await run(home, process.execPath, "program.js");
    const { last, kind, characters } = JSON.parse(stdout);
    expect(last).toBeCloseTo(0.665241, 5);
    expect(kind).toBe("gpt");
    expect(characters).toBe(9);
  });

  test("its types are checked whole, in a JavaScript file and without its development packages", async () => {
    writeFileSync(join(home, "program.js"), PROGRAM);
    writeFileSync(join(home, "mistakes.js"), MISTAKES);
    const options = "--noEmit --strict --allowJs --module nodenext --target es2022 --lib es2023".split(" ");
    // Of what it was developed with, Node's own types alone: no page's, and none of a package that it imports.
    options.push("--typeRoots", join(root, "node_modules/@types"), "--types", "node");
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const outcome = run(home, process.execPath, tsc, ...options, "program.js", "mistakes.js");
    await expect(outcome.then(({ stdout }) => stdout)).resolves.toBe("");
  });

  /** What a bundler makes of a program. */
  async function bundle(source: string): Promise<string> {
    const stdin = { contents: source, resolveDir: home, loader: "js" } as const;
    const { outputFiles } = await build({
      stdin,
      bundle: true,
      format: "esm",
      platform: "node",
      external: ["koffi"],
      write: false,
    });
    return outputFiles[0].text;
  }

  test("of a bundle it takes no more than is used", async () => {
    const tokenizer = await bundle(
      'import { CharTokenizer } from "nopeek"; console.log(CharTokenizer.fromText("a"));',
    );
    expect(tokenizer).toContain("CharTokenizer");
    expect(tokenizer.length).toBeLessThan(10_000);
    const op = await bundle('import { softmax } from "nopeek/ops"; console.log(softmax);');
    expect(op).not.toContain("layerNorm");
    expect(op.length).toBeLessThan(20_000);
    const model = await bundle('import { GPT } from "nopeek"; console.log(GPT);');
    expect(model).toMatch(/class GPT\b|\bGPT = class/);
    for (const stranger of ["Trainer", "ZodObject", "beamSearch", "node:fs"])
      expect(model).not.toContain(stranger);
  });
});
