/** The import rule and the forbidden words, enforced over every file of src/. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { complaintsAbout, type Files, importsOf, nodeComplaints } from "./support/architecture.ts";

const root = new URL("../src/", import.meta.url);

/** Every file of code under src/. */
function sources(): Files {
  const paths = readdirSync(fileURLToPath(root), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.[jt]s$/.test(path));
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, root), "utf8")]));
}

test("src/ keeps the rules", () => {
  expect(complaintsAbout(sources())).toEqual([]);
});

test("every file but those listed as Node's runs in a browser", () => {
  expect(nodeComplaints(sources())).toEqual([]);
});

test("every import inside src/ leads to a file, so that none is misread", () => {
  const files = sources();
  expect(files.size).toBeGreaterThan(50);
  for (const [path, source] of files) {
    for (const { target, isPackage } of importsOf(path, source)) {
      if (!isPackage) expect(files.has(target), `${path} imports ${target}`).toBe(true);
    }
    // The number that a plain search for the keyword before a path finds.
    const plain = source.match(/^(?!\s*(\/?\*|\/\/)).*\b(from |import |import\()["'][\w./:@-]+["']/gm) ?? [];
    expect(importsOf(path, source).length, path).toBe(plain.length);
  }
});

describe("negative controls", () => {
  const complain = (path: string, source: string) => complaintsAbout(new Map([[path, source]]));

  test.each([
    ["shape.ts", "./autograd/tensor.ts"],
    ["errors.ts", "./backend/backend.ts"],
    ["backend/backend.ts", "../autograd/tensor.ts"],
    ["backend/reference/gemm.ts", "../wasm/host/heap.ts"],
    ["backend/reference/gemm.ts", "../open.ts"],
    ["backend/wasm/host/wasm-backend.ts", "../../../autograd/tape.ts"],
    ["backend/wasm/host/wasm-backend.ts", "../../blas/blas-backend.ts"],
    ["backend/reference/gemm.ts", "../blas/gemm.js"],
    ["backend/blas/blas-backend.ts", "../reference/gemm.ts"],
    ["backend/blas/gemm.js", "../wasm/kernels/gemm.ts"],
    ["backend/wasm/kernels/gemm.ts", "../host/heap.ts"],
    ["backend/wasm/kernels/gemm.ts", "../../../math.ts"],
    ["backend/open.ts", "../autograd/context.ts"],
    ["autograd/tape.ts", "../ops/add.ts"],
    ["autograd/tape.ts", "../backend/reference/buffer.ts"],
    ["ops/add.ts", "../nn/gpt.ts"],
    ["ops/add.ts", "../backend/open.ts"],
    ["nn/gpt.ts", "../train/trainer.ts"],
    ["nn/gpt.ts", "../text/tokenizer.ts"],
    ["text/tokenizer.ts", "../nn/gpt.ts"],
    ["text/tokenizer.ts", "../backend/backend.ts"],
    ["sample/generate.ts", "../train/trainer.ts"],
    ["sample/generate.ts", "../backend/open.ts"],
    ["train/trainer.ts", "../sample/generate.ts"],
    ["train/trainer.ts", "../evaluate/loss.ts"],
    ["run/checkpoint.ts", "../data/split.ts"],
    ["data/split.ts", "../nn/gpt.ts"],
    ["config/settings.ts", "../run/config.ts"],
    ["report/html.ts", "../train/trainer.ts"],
    ["util/format.ts", "../text/tokenizer.ts"],
    ["train/trainer.ts", "../cli/main.ts"],
    ["train/trainer.ts", "../backend/wasm/host/heap.ts"],
    ["web/page.ts", "../nn/gpt.ts"],
    ["index.ts", "./cli/open-model.ts"],
    ["cli/main.ts", "../index.ts"],
    ["train/trainer.ts", "../index.ts"],
  ])("%s may not import %s", (path, target) => {
    for (const line of [
      `import { x } from "${target}";`,
      `import type { X } from "${target}";`,
      `import {\n  x,\n  type Y,\n} from "${target}";`,
      `export * from "${target}";`,
      `export { x } from '${target}';`,
      `import "${target}";`,
      `const { x } = await import("${target}");`,
      `type X = import("${target}").X;`,
    ]) {
      expect(complain(path, line), line).toHaveLength(1);
    }
  });

  test.each([
    ["ops/add.ts", "../autograd/tensor.ts"],
    ["nn/gpt.ts", "../shape.ts"],
    ["backend/wasm/host/wasm-backend.ts", "./heap.ts"],
    ["backend/wasm/kernels/gemm.ts", "./vector"],
    ["backend/open.ts", "./wasm/host/wasm-backend.ts"],
    ["backend/blas/blas-backend.ts", "../wasm/host/wasm-backend.ts"],
    ["train/trainer.ts", "../text/tokenizer.ts"],
    ["cli/main.ts", "../backend/open.ts"],
    ["cli/main.ts", "commander"],
    ["index.ts", "./backend/open.ts"],
    ["index.ts", "./train/trainer.ts"],
    ["random.ts", "seedrandom"],
    ["nn/gpt.ts", "../util/format.ts"],
    ["evaluate/loss.ts", "../train/trainer.ts"],
  ])("%s may import %s", (path, target) => {
    expect(complain(path, `import { x } from "${target}";`)).toEqual([]);
  });

  test.each([
    ["nn/gpt.ts", "zod"],
    ["ops/add.ts", "node:fs"],
    ["shape.ts", "zod"],
    ["backend/wasm/kernels/gemm.ts", "node:fs"],
  ])("%s may not import the package %s", (path, name) => {
    expect(complain(path, `import { x } from "${name}";`)).toHaveLength(1);
  });

  test.each([
    ["run/checkpoint.ts", 'import { createHash } from "node:crypto";'],
    ["run/checkpoint.ts", 'import type { Stats } from "node:fs";'],
    ["run/checkpoint.ts", 'const fs = await import("node:fs");'],
    ["run/checkpoint.ts", 'import { nodeFiles } from "./node-files.ts";'],
    ["run/checkpoint.ts", 'export { nodeFiles } from "./node-files.ts";'],
    ["browser.ts", 'export { openBackend } from "./backend/open.ts";'],
    ["lesson/leakage.ts", 'import { readTexts } from "../data/corpus.ts";'],
    ["run/node-files.ts", 'import type { Files } from "./files.ts";'],
  ])("%s may not need Node, or be listed in vain: %s", (path, line) => {
    expect(nodeComplaints(new Map([[path, line]]))).toHaveLength(1);
  });

  test.each([
    ["run/node-files.ts", 'import { renameSync } from "node:fs";'],
    ["run/on-disk.ts", 'import { nodeFiles } from "./node-files.ts";'],
    ["cli/main.ts", 'import { readFileSync } from "node:fs";'],
    ["data/corpus-report.ts", 'import type { SkippedFile } from "./text-files.ts";'],
  ])("%s may need Node, or only its types: %s", (path, line) => {
    expect(nodeComplaints(new Map([[path, line]]))).toEqual([]);
  });

  test.each([
    "console.log(1);",
    "process.exit(1);",
    "const now = Date.now();",
    "const now = new Date();",
    "performance.now();",
    "Math.random();",
    "Math.max(0, ...losses);",
    "Math.min(...points.map((point) => point.y));",
    "lines.push(...others);",
    "String.fromCharCode(...bytes);",
    "Math.exp(x);",
    "Math.log(x);",
    "Math.log2(x);",
    "Math.tanh(x);",
    "Math.cos(x);",
    "Math.pow(x, 2);",
    "Math.cbrt(x);",
    "const y = x ** 2;",
    "const y = 2 ** k;",
    "const y = (x + 1) ** 2;",
    "const y = xs[0] ** 2;",
    "y **= 2;",
  ])("%s is not said in train", (line) => {
    expect(complain("train/trainer.ts", line)).not.toEqual([]);
  });

  test.each([
    "// console.log(1) is for cli",
    "/** See Math.exp. */",
    "/*\n * x ** 2\n */",
    "const n = 2 ** 32;",
    "Math.sqrt(x);",
  ])("%s is", (line) => {
    expect(complain("train/trainer.ts", line)).toEqual([]);
  });

  test.each([
    'throw new ConfigError("--grad-clip 1 usually helps");',
    "const help = 'bring the corpus with --data';",
    `const message = \`name another folder with --out: got \${folder}\`;`,
    `const flag = \`--\${name}\`;`,
  ])("no flag is named outside cli: %s", (line) => {
    expect(complain("train/trainer.ts", line)).toHaveLength(1);
    expect(complain("cli/main.ts", line)).toEqual([]);
  });

  test.each([
    "// see --grad-clip",
    "/** As --grad-clip does. */",
    "const message = `\\`gradClip\\` 1 usually helps`;",
    "do x(); while (--count);",
    'const rule = ".ink{fill:var(--ink)}";',
    `const colors = \`--paper:\${paper};--run-\${i}:\${color};\`;`,
  ])("this names no flag: %s", (line) => {
    expect(complain("report/css.ts", line)).toEqual([]);
  });

  test.each([
    "process.stderr.write(text);",
    "process.stdout.write(text);",
    "stderr.write(text);",
    'process["stdout"].write(text);',
    "console.error(text);",
  ])("cli writes by its terminal alone: %s", (line) => {
    expect(complain("cli/commands/runs.ts", line)).toHaveLength(1);
  });

  test("cli prints by its terminal and reads the clock, but its numbers are the library's", () => {
    expect(complain("cli/terminal/output.ts", "process.stdout.write(text);")).toEqual([]);
    expect(complain("cli/main.ts", "process.exit(Date.now());")).toEqual([]);
    expect(complain("cli/main.ts", "const y = Math.exp(x) + Math.random();")).toHaveLength(2);
  });

  test("circles are found, unless types alone close them", () => {
    const circle = (last: string) =>
      complaintsAbout(
        new Map([
          ["ops/a.ts", 'import { b } from "./b.ts";'],
          ["ops/b.ts", 'export { c } from "./c.ts";'],
          ["ops/c.ts", last],
        ]),
      );
    expect(circle('import { a } from "./a.ts";')).toEqual([
      "a circle of imports: ops/a.ts → ops/b.ts → ops/c.ts → ops/a.ts",
    ]);
    expect(circle('import { type A, a } from "./a.ts";')).toHaveLength(1);
    expect(circle('import type { A } from "./a.ts";')).toEqual([]);
  });
});
