import { readdirSync, readFileSync, statfsSync } from "node:fs";
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

/**
 * Where tests write. Runs flush every file, which takes a disk milliseconds, so it is a file system in memory if there
 * is one with room for large texts and with permission to open a library that was compiled there.
 */
function temporaryFolder(): Record<string, string> {
  const folder = "/dev/shm";
  if (process.env.TMPDIR !== undefined) return {};
  try {
    const options = new RegExp(`^\\S+ ${folder} tmpfs (\\S+)`, "m").exec(
      readFileSync("/proc/mounts", "utf8"),
    );
    const { bavail, bsize } = statfsSync(folder);
    const hasRoom = bavail * bsize >= 2 ** 31;
    return hasRoom && options !== null && !/\bnoexec\b/.test(options[1]) ? { TMPDIR: folder } : {};
  } catch {
    return {};
  }
}

export default defineConfig({
  test: {
    testTimeout: 60_000,
    env: temporaryFolder(),
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
