/**
 * After tsc: what the compiled program in dist/ needs besides JavaScript. The kernels go where it looks for them,
 * and its entry may be executed.
 */
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

mkdirSync(`${root}dist/backend/wasm`, { recursive: true });
for (const module of ["kernels.wasm", "kernels-fast.wasm"]) {
  copyFileSync(`${root}src/backend/wasm/${module}`, `${root}dist/backend/wasm/${module}`);
}
chmodSync(`${root}dist/cli/main.js`, 0o755);
