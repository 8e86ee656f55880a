import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const TESTS = "test/**/*.test.ts";
/** Tests of pages in a browser, which is several processes by itself. */
const PAGES = ["test/play/*.test.ts", "test/play/page/*.test.ts", "test/{browser,report/browser}/*.test.ts"];

/** Folders whose tests only call functions. */
const UNITS =
  /^test\/(autograd|backend|config|data|distributed|evaluate|interop|nn|ops|run|sample|text|train|util|verify)\//;
/** A test that replaces a module must be the first to import it. */
const REPLACES_MODULES = /vi\.(mock|doMock|resetModules)\(/;

const root = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
  .map((path) => `test/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".test.ts"));
const units = files.filter(
  (path) => UNITS.test(path) && !REPLACES_MODULES.test(readFileSync(`${root}${path}`, "utf8")),
);
/** Many tests wait for a program, so all cores are worth using. The default leaves one idle. */
const maxWorkers = availableParallelism();

export default defineConfig({
  test: {
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "program",
          include: [TESTS],
          exclude: [...PAGES, ...units],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "units",
          include: units,
          // Importing the modules again for each file would take a third of the time.
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "pages",
          include: PAGES,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // One at a time and after the others, because a page that has to share a core needs ten times as long.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,js}"],
      // Compiled to WebAssembly, and run in a browser: v8 sees neither.
      exclude: ["src/backend/wasm/kernels/**", "src/report/browser/page.ts"],
      reporter: ["text-summary", "html"],
    },
  },
});
