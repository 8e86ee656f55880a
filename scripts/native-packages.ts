/**
 * Compiles the native kernels for every platform with one cross-compiler, Zig, and lays out one optional package for
 * each: native-packages/PLATFORM-ARCH/. CONTRIBUTING.md says how they are published.
 *
 *   ZIG=path/to/zig npm run native:packages
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import manifest from "../package.json" with { type: "json" };
import { KERNELS, packageOf, RECORD } from "../src/backend/native/find-library.ts";
import { buildNative, libraryName, type Target } from "./build-native.ts";

const ROOT = new URL("../", import.meta.url);
const PACKAGES = new URL("native-packages/", ROOT);

interface Platform extends Pick<Target, "platform" | "arch"> {
  /** Zig's name of the target, with the oldest version of the system's library that Node 20 runs on. */
  readonly target: string;
  /** For npm: the C library that the package needs. */
  readonly libc?: string;
}

export const PLATFORMS: readonly Platform[] = [
  { platform: "linux", arch: "x64", target: "x86_64-linux-gnu.2.28", libc: "glibc" },
  { platform: "linux", arch: "arm64", target: "aarch64-linux-gnu.2.28", libc: "glibc" },
  { platform: "darwin", arch: "x64", target: "x86_64-macos.11.0" },
  { platform: "darwin", arch: "arm64", target: "aarch64-macos.11.0" },
  { platform: "win32", arch: "x64", target: "x86_64-windows-gnu" },
];

const HOW_TO_GET_ZIG = `Zig compiles for every platform, and is missing. Install it, for example:
  python3 -m venv zig && zig/bin/pip install ziglang
  ZIG=$(echo zig/lib/python3*/site-packages/ziglang/zig) npm run native:packages`;

/**
 * Lays out the package of one platform.
 *
 * @param zig    the path of Zig
 * @param folder where the package is made; its old contents are removed
 * @throws Error if Zig does not compile the kernels
 */
export async function makePackage(
  zig: string,
  { platform, arch, target, libc }: Platform,
  folder: URL,
  kernels = KERNELS,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const words = ["cc", "-target", target];
  // Without -s, the library has a megabyte of Zig's debugging symbols.
  const { why } = await buildNative([zig], folder, ["-s"], kernels, { platform, arch, words });
  if (why !== null) throw new Error(`${platform}-${arch}: ${why}`);
  const { version, license } = manifest;
  const name = packageOf(platform, arch);
  const description = `nopeek's native kernels for ${platform} ${arch}, compiled`;
  const system = { os: [platform], cpu: [arch], ...(libc === undefined ? {} : { libc: [libc] }) };
  const files = [libraryName(platform), RECORD];
  const own = { name, version, description, license, ...system, files };
  writeFileSync(new URL("package.json", folder), `${JSON.stringify(own, null, 2)}\n`);
  const about = `# ${name}\n\n${description}. nopeek ${version} uses them if they are installed; results do not change.\n`;
  writeFileSync(new URL("README.md", folder), about);
  copyFileSync(new URL("LICENSE", ROOT), new URL("LICENSE", folder));
}

/** What a release adds to `optionalDependencies` of package.json, once the packages are published. */
export function releaseLine(version: string): string {
  return PLATFORMS.map(({ platform, arch }) => `"${packageOf(platform, arch)}": "${version}"`).join(", ");
}

function isThere(zig: string): boolean {
  try {
    execFileSync(zig, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const zig = process.env.ZIG || "zig";
  if (!isThere(zig)) {
    console.error(HOW_TO_GET_ZIG);
    process.exitCode = 1;
  } else {
    for (const platform of PLATFORMS) {
      const folder = new URL(`${platform.platform}-${platform.arch}/`, PACKAGES);
      await makePackage(zig, platform, folder);
      console.log(`Made ${fileURLToPath(folder)}`);
    }
    console.log(`After publishing them, add to "optionalDependencies" of package.json, and run npm install:`);
    console.log(releaseLine(manifest.version));
  }
}
