import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const TESTS = "test/**/*.test.ts";
/** Tests of pages in a browser, which is several processes by itself. */
const PAGES = ["test/play/*.test.ts", "test/play/page/*.test.ts", "test/{browser,report/browser}/*.test.ts"];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "program",
          include: [TESTS],
          exclude: PAGES,
          // Many tests wait for a program, so all cores are worth using. The default leaves one idle.
          maxWorkers: availableParallelism(),
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
