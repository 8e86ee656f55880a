/**
 * Runs the tests of the native kernels with AddressSanitizer and UndefinedBehaviorSanitizer compiled in: an access
 * outside an array of C, or a result that C leaves undefined, ends the tests. Skips itself where the compiler has no
 * sanitizers.
 *
 *   npx tsx scripts/sanitize-native.ts
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const FLAGS =
  "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -Wall -Wextra";

/** The library of AddressSanitizer, which must be loaded before Node; null if there is none. */
function sanitizer(): string | null {
  try {
    const path = execFileSync("cc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

const asan = sanitizer();
if (asan === null) {
  console.log("No compiler with AddressSanitizer: skipping the native kernels under sanitizers.");
} else {
  process.env.NOPEEK_NATIVE_FLAGS = FLAGS;
  // Builds the library once, before the test files would each do so.
  await import("../test/support/native.ts");
  const env = {
    ...process.env,
    LD_PRELOAD: asan,
    // Node frees little of what it allocates before it ends, and handles signals itself.
    ASAN_OPTIONS: "detect_leaks=0:handle_segv=0:allow_user_segv_handler=1",
  };
  const tests = ["attention-bits", "bits", "kernels", "conformance"].map(
    (name) => `test/backend/native/${name}.test.ts`,
  );
  const words = ["node_modules/vitest/vitest.mjs", "run", ...tests];
  const { status } = spawnSync(process.execPath, words, { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
