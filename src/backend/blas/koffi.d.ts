/**
 * The part of koffi that the backend uses. The package is optional: where it is missing, the rest of the program must
 * still compile.
 * Source: https://koffi.dev.
 */
declare module "koffi" {
  interface CLibrary {
    /** @throws Error when the library has no such function */
    func(name: string, result: string, args: readonly string[]): (...args: number[]) => unknown;
  }

  const koffi: {
    /** @throws Error when the system's loader does not find the file */
    load(file: string): CLibrary;
    /** Where the numbers of a view stand in the memory of the process. */
    address(view: Uint8Array): bigint;
  };
  export default koffi;
}
