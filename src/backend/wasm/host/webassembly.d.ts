/**
 * The part of the WebAssembly JavaScript interface that the backend uses. TypeScript has it only in its DOM library,
 * which would expose the globals of web pages to the whole program. Source: WebAssembly JavaScript Interface,
 * https://www.w3.org/TR/wasm-js-api-2/.
 */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    /** Adds pages of 64 KiB. Views of the old buffer do not see the new ones. */
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: BufferSource);
    static customSections(module: Module, name: string): ArrayBuffer[];
  }

  class Instance {
    constructor(
      module: Module,
      imports: Record<string, Record<string, Memory | ((...args: number[]) => void)>>,
    );
    readonly exports: object;
  }

  class Global {
    readonly value: number;
  }

  type BufferSource = ArrayBufferView | ArrayBuffer;

  function validate(bytes: BufferSource): boolean;
  function compile(bytes: BufferSource): Promise<Module>;
  function compileStreaming(source: Response): Promise<Module>;
}
