/**
 * The part of koffi that nopeek uses. The package is optional, and the program must compile without it.
 * Source: https://koffi.dev.
 */
declare module "koffi" {
  export interface CLibrary {
    /** @throws Error if the library has no function with this name */
    func(name: string, result: string, args: readonly string[]): (...args: (number | bigint)[]) => unknown;
    /** The address of a variable. @throws Error if the library has none with this name */
    symbol(name: string): bigint;
  }

  const koffi: {
    /** @throws Error if the system's loader does not find the file */
    load(file: string): CLibrary;
    /** The address of a view in the memory of the process. */
    address(view: ArrayBufferView): bigint;
  };
  export default koffi;
}
