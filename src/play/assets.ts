/**
 * Every file of the page. `nopeek play` serves these and nothing else, the static site consists of them, and its
 * service worker keeps them.
 */

/**
 * When the page needs a file:
 *
 * - shell: to show itself
 * - engine: to train, in a worker
 * - later: to answer the other sections, or where there is no WebAssembly; in the same worker
 * - kernels: to compute fast
 * - on demand: when a section asks for it
 */
export type AssetGroup = "shell" | "engine" | "later" | "kernels" | "on demand";

export interface Asset {
  /** Relative to the address of the page, so that the page works in any folder of a host; "" is the page itself. */
  readonly path: string;
  /** Relative to the package. */
  readonly file: string;
  readonly type: string;
  readonly group: AssetGroup;
}

const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  safetensors: "application/octet-stream",
} as const;

/** The bundled model's step. */
const STEP = "step-005800";

export const ASSETS: readonly Asset[] = [
  { path: "", file: "dist/play/index.html", type: TYPES.html, group: "shell" },
  { path: "style.css", file: "dist/play/style.css", type: TYPES.css, group: "shell" },
  { path: "page.js", file: "dist/play/page.js", type: TYPES.js, group: "shell" },
  { path: "icon.svg", file: "dist/play/icon.svg", type: TYPES.svg, group: "shell" },
  { path: "engine.js", file: "dist/play/engine.js", type: TYPES.js, group: "engine" },
  engineFile("engine-shared-1.js", "engine"),
  engineFile("engine-shared-2.js", "engine"),
  engineFile("engine-shared-4.js", "engine"),
  { path: "thread.js", file: "dist/play/thread.js", type: TYPES.js, group: "engine" },
  engineFile("engine-write-sample.js", "later"),
  engineFile("engine-section-questions.js", "later"),
  engineFile("engine-shared-3.js", "later"),
  engineFile("engine-reference-backend.js", "later"),
  { path: "kernels.wasm", file: "dist/backend/wasm/kernels.wasm", type: TYPES.wasm, group: "kernels" },
  { path: "licenses.txt", file: "dist/play/licenses.txt", type: TYPES.txt, group: "on demand" },
  { path: "tales.txt", file: "data/tales.txt", type: TYPES.txt, group: "on demand" },
  { path: "tales.json", file: "data/tales.json", type: TYPES.json, group: "on demand" },
  modelFile("config.json", TYPES.json),
  modelFile("best", TYPES.txt),
  modelFile("latest", TYPES.txt),
  modelFile(`${STEP}/state.json`, TYPES.json),
  modelFile(`${STEP}/model.safetensors`, TYPES.safetensors),
];

/** A file of the engine: see scripts/bundle-play.ts. */
function engineFile(name: string, group: AssetGroup): Asset {
  return { path: name, file: `dist/play/${name}`, type: TYPES.js, group };
}

/** A file of the bundled model, in a run directory named model. */
function modelFile(name: string, type: string): Asset {
  return { path: `model/${name}`, file: `checkpoints/tales/${name}`, type, group: "on demand" };
}
