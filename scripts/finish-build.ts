/**
 * After tsc: what the compiled program in dist/ needs besides JavaScript. The kernels go where it looks for them,
 * and its entry may be executed.
 */
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

mkdirSync(`${root}dist/backend/wasm`, { recursive: true });
copyFileSync(`${root}src/backend/wasm/kernels.wasm`, `${root}dist/backend/wasm/kernels.wasm`);
chmodSync(`${root}dist/cli/main.js`, 0o755);
