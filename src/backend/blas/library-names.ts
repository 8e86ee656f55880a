/** Where BLAS libraries usually are, and how a person gets one. */

/** Quick ones first; the plain libblas of some systems is a slow one, or leads to the one that was chosen. */
const usualNames: Readonly<Record<string, readonly string[]>> = {
  linux: [
    ...["libopenblas.so.0", "libopenblas.so", "libopenblas.so.3", "libopenblas64.so.0", "libblis.so.4"],
    ...["libcblas.so.3", "libblas.so.3"],
  ],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    ...["libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib"],
  ],
  win32: ["libopenblas.dll", "openblas.dll"],
};

/** @param platform as `platform()` of node:os gives it */
export function usualLibraries(platform: string): readonly string[] {
  return usualNames[platform] ?? usualNames.linux;
}

export const HOW_TO_INSTALL =
  "on Debian or Ubuntu: apt-get install libopenblas0; on Fedora: dnf install openblas; " +
  "macOS has one in Accelerate; for Windows: libopenblas.dll, from the releases of OpenBLAS, in a folder of the PATH";
