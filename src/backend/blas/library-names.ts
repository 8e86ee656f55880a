/** The usual locations of BLAS libraries, and how to install one. */

/** Fast libraries first. On some systems, plain libblas is slow, or a link to the selected library. */
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

/** @param platform the value of `platform()` of node:os */
export function usualLibraries(platform: string): readonly string[] {
  return usualNames[platform] ?? usualNames.linux;
}

export const HOW_TO_INSTALL =
  "on Debian or Ubuntu: apt-get install libopenblas0; on Fedora: dnf install openblas; " +
  "macOS includes one (Accelerate); on Windows: put libopenblas.dll from the OpenBLAS releases in a folder on the PATH";
