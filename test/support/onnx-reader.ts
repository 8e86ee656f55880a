/** Reads ONNX files, as an independent check on what the exporter writes. Field numbers are those of onnx.proto. */

export interface OnnxModel {
  readonly irVersion: number;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | readonly number[]>;
}

/** Integers are exact up to 2⁵³. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface OnnxPort {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

const TYPES: Readonly<Record<number, string>> = { 1: "float32", 7: "int64", 9: "bool" };

export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = new Fields(bytes);
  const graph = new Fields(model.bytes(7)[0]);
  const ports = (field: number) => graph.bytes(field).map((port) => readPort(new Fields(port)));
  return {
    irVersion: model.integers(1)[0],
    opset: new Fields(model.bytes(8)[0]).integers(2)[0],
    nodes: graph.bytes(1).map((node) => readNode(new Fields(node))),
    initializers: new Map(graph.bytes(5).map((tensor) => readTensor(new Fields(tensor)))),
    inputs: ports(11),
    outputs: ports(12),
  };
}

function readNode(node: Fields): OnnxNode {
  const attributes = node.bytes(5).map((bytes): [string, number | readonly number[]] => {
    const attribute = new Fields(bytes);
    const isList = attribute.integers(20)[0] === 7;
    return [attribute.texts(1)[0], isList ? attribute.integers(8) : attribute.integers(3)[0]];
  });
  return {
    op: node.texts(4)[0],
    inputs: node.texts(1),
    outputs: node.texts(2),
    attributes: new Map(attributes),
  };
}

function readTensor(tensor: Fields): [string, OnnxTensor] {
  const shape = tensor.integers(1);
  // A copy, which starts at a multiple of 8 bytes.
  const { buffer } = Uint8Array.from(tensor.bytes(9)[0]);
  const type = TYPES[tensor.integers(2)[0]];
  const values =
    type === "float32"
      ? Float64Array.from(new Float32Array(buffer))
      : Float64Array.from(new BigInt64Array(buffer), Number);
  const size = shape.reduce((count, length) => count * length, 1);
  if (values.length !== size) throw new Error(`a tensor of shape [${shape}] has ${values.length} numbers`);
  return [tensor.texts(8)[0], { shape, values }];
}

function readPort(port: Fields): OnnxPort {
  const tensor = new Fields(new Fields(port.bytes(2)[0]).bytes(1)[0]);
  const shape = new Fields(tensor.bytes(2)[0]).bytes(1).map((bytes) => {
    const length = new Fields(bytes);
    return length.texts(2)[0] ?? length.integers(1)[0];
  });
  return { name: port.texts(1)[0], type: TYPES[tensor.integers(1)[0]], shape };
}

/** The fields of one protocol buffer message. */
class Fields {
  readonly #fields: [field: number, value: number | Uint8Array][] = [];

  constructor(bytes: Uint8Array) {
    let at = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++];
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return Number(BigInt.asIntN(64, value));
      }
    };
    while (at < bytes.length) {
      const key = varint();
      const [field, type] = [key >> 3, key & 7];
      const value = varint();
      if (type === 0) this.#fields.push([field, value]);
      else if (type === 2) {
        if (at + value > bytes.length) throw new Error(`field ${field} ends after its message`);
        this.#fields.push([field, bytes.subarray(at, at + value)]);
        at += value;
      } else throw new Error(`field ${field} has type ${type}`);
    }
  }

  integers(field: number): number[] {
    return this.#fields.flatMap(([key, value]) =>
      key === field && typeof value === "number" ? [value] : [],
    );
  }

  bytes(field: number): Uint8Array[] {
    return this.#fields.flatMap(([key, value]) =>
      key === field && typeof value !== "number" ? [value] : [],
    );
  }

  texts(field: number): string[] {
    return this.bytes(field).map((bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  }
}
