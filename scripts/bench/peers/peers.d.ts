/** The parts of the peers' types that the twins use, so that they type-check even without the peers installed. */
declare module "@tensorflow/tfjs" {
  type Axis = number;
  interface Tensor {
    readonly shape: number[];
    add(other: Tensor | number): Tensor;
    sub(other: Tensor | number): Tensor;
    mul(other: Tensor | number): Tensor;
    div(other: Tensor | number): Tensor;
    square(): Tensor;
    sqrt(): Tensor;
    rsqrt(): Tensor;
    erf(): Tensor;
    sum(): Tensor;
    mean(axis: Axis, keepDims: boolean): Tensor;
    matMul(other: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
    reshape(shape: number[]): Tensor;
    transpose(permutation: number[]): Tensor;
    toFloat(): Tensor;
    asScalar(): Tensor;
    dataSync(): Float32Array;
  }
  interface Variable extends Tensor {
    assign(value: Tensor): void;
  }
  interface NamedTensorMap {
    [name: string]: Tensor;
  }
  function setBackend(name: string): Promise<boolean>;
  function ready(): Promise<void>;
  function tensor(values: Float32Array, shape: number[]): Tensor;
  function tensor1d(values: Int32Array, dtype: "int32"): Tensor;
  function tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  function variable(value: Tensor, trainable?: boolean, name?: string): Variable;
  function zerosLike(x: Tensor): Tensor;
  function oneHot(indices: Tensor, depth: number): Tensor;
  function softmax(x: Tensor): Tensor;
  function logSoftmax(x: Tensor): Tensor;
  function addN(tensors: Tensor[]): Tensor;
  function minimum(a: Tensor | number, b: Tensor | number): Tensor;
  function div(a: Tensor | number, b: Tensor | number): Tensor;
  function keep<T extends Tensor>(x: T): T;
  function tidy<T>(body: () => T): T;
  function dispose(tensors: Tensor[]): void;
  function variableGrads(
    f: () => Tensor,
    variables: Variable[],
  ): { readonly value: Tensor; readonly grads: NamedTensorMap };
}

declare module "@tensorflow/tfjs-backend-wasm" {
  const version_wasm: string;
}

declare module "@jax-js/jax" {
  namespace numpy {
    type Operand = Array | number;
    type DType = "int32" | "bool";
    interface Array {
      readonly ref: this;
      readonly shape: number[];
      add(other: Operand): Array;
      sub(other: Operand): Array;
      mul(other: Operand): Array;
      div(other: Operand): Array;
      reshape(shape: number[]): Array;
      data(): Promise<Float32Array>;
      dispose(): void;
    }
    const int32: "int32";
    const bool: "bool";
    function array(
      values: Float32Array | Int32Array | number,
      options?: { readonly shape?: number[]; readonly dtype?: DType },
    ): Array;
    function sum(x: Operand): Array;
    function square(x: Operand): Array;
    function sqrt(x: Operand): Array;
    function minimum(x: Operand, y: Operand): Array;
    function trueDivide(x: Operand, y: Operand): Array;
    function matmul(x: Operand, y: Operand): Array;
    function take(x: Operand, indices: Operand, axis: number): Array;
    function transpose(x: Operand, permutation?: number[]): Array;
    function where(condition: Operand, x: Operand, y: Operand): Array;
    function tri(rows: number, columns: number, diagonal: number, options: { readonly dtype: DType }): Array;
  }
  namespace nn {
    function oneHot(x: numpy.Array, classes: number): numpy.Array;
    function gelu(x: numpy.Array, options: { readonly approximate: boolean }): numpy.Array;
    function logSoftmax(x: numpy.Array): numpy.Array;
    function standardize(x: numpy.Array, axis: number, options: { readonly epsilon: number }): numpy.Array;
    function softmax(x: numpy.Array, axis: number): numpy.Array;
  }
  function init(device: string): Promise<string[]>;
  function defaultDevice(device: string): string;
  function blockUntilReady<T>(tree: T): Promise<T>;
  function jit<F>(f: F): F;
  function valueAndGrad<First, Rest extends unknown[]>(
    f: (first: First, ...rest: Rest) => numpy.Array,
  ): (first: First, ...rest: Rest) => [numpy.Array, First];
}
