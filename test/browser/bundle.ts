/** Bundles of engine.ts for a page, in a folder that can be served. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs before all else: a module might violate the page's policy while it is loaded. */
const LISTEN = `globalThis.violations = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective }) => violations.push(violatedDirective));`;

/** Without WebAssembly, as in the lockdown mode of some browsers, if the address ends so. */
const ENTRIES = {
  engine: `import { perform } from "./engine.ts";
    if (new URL(location.href).search === "?no-wasm") delete globalThis.WebAssembly;
    onmessage = ({ data }) => perform(data).then(
      (result) => postMessage({ result: { ...result, violations } }), (error) => postMessage({ error: String(error) }));`,
  page: `import { perform } from "./engine.ts";
    globalThis.perform = perform;
    globalThis.performInWorker = (task, search = "") => new Promise((resolve, reject) => {
      const worker = new Worker("engine.js" + search, { type: "module" });
      worker.onmessage = ({ data }) => (worker.terminate(), "result" in data ? resolve(data.result) : reject(new Error(data.error)));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(task);
    });`,
};

/** Writes index.html, page.js, engine.js and what the engine loads: threads.js and kernels.wasm. */
export async function bundleEngine(folder: string): Promise<void> {
  const common = { bundle: true, format: "esm", platform: "browser", target: "es2022" } as const;
  for (const [name, contents] of Object.entries(ENTRIES)) {
    const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
    await build({ ...common, stdin, banner: { js: LISTEN }, outfile: join(folder, `${name}.js`) });
  }
  const threads = join(root, "src/backend/wasm/threads/web-worker.js");
  await build({ ...common, entryPoints: [threads], outfile: join(folder, "threads.js") });
  copyFileSync(join(root, "src/backend/wasm/kernels.wasm"), join(folder, "kernels.wasm"));
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><title>test</title><script type="module" src="page.js"></script>',
  );
}
