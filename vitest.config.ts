import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // Many tests wait for a program or a browser, so all cores are worth using. The default leaves one idle.
    maxWorkers: availableParallelism(),
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,js}"],
      // Compiled to WebAssembly, and run in a browser: v8 sees neither.
      exclude: ["src/backend/wasm/kernels/**", "src/report/browser/page.ts"],
      reporter: ["text-summary", "html"],
    },
  },
});
