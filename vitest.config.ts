import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const TESTS = "test/**/*.test.ts";
/** Tests of pages in a browser, which is several processes by itself. */
const PAGES = [
  "test/play/*.test.ts",
  "test/play/page/*.test.ts",
  "test/{browser,report/browser}/*.test.ts",
  "test/scripts/prove/browser.test.ts",
];

/** What a test must not do to others: replace modules and their functions, or change the process. */
const CHANGES =
  /vi\.(mock|doMock|resetModules|spyOn)\(|process\.chdir\(|defineProperty\(process|assign\(nodeFiles|process\.env\.\w+( =|;)/;

const root = fileURLToPath(new URL(".", import.meta.url));
const isolated = readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
  .map((path) => `test/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".test.ts") && CHANGES.test(readFileSync(`${root}${path}`, "utf8")));
/** Many tests wait for a program, so all cores are worth using. The default leaves one idle. */
const maxWorkers = availableParallelism();

export default defineConfig({
  test: {
    testTimeout: 60_000,
    globalSetup: "test/support/temporary-folder.ts",
    projects: [
      {
        extends: true,
        test: {
          name: "isolated",
          include: isolated,
          exclude: PAGES,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "shared",
          include: [TESTS],
          exclude: [...PAGES, ...isolated],
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
