/**
 * ONNX's messages: a model is a graph of nodes over named tensors. The numbers are those of fields and types in onnx.proto.
 *
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { ProtobufMessage } from "./protobuf.ts";

/** The version of the file format, and of the set of operators. Runtimes of 2024 and later know both. */
const IR_VERSION = 9;
const OPSET_VERSION = 18;

/** The element types that a graph of a GPT needs. */
export type ElementType = "float32" | "int64" | "bool";

/** ONNX's numbers for element types. */
export const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = { float32: 1, int64: 7, bool: 9 };

const INTEGER_ATTRIBUTE = 2;
const INTEGERS_ATTRIBUTE = 7;

/** A constant: a weight, an index, a shape. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** One operation. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** An input or output of the model. A text in its shape names a length that is known only when the model runs. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

export interface GraphParts {
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** ModelProto, as one message. */
export function modelMessage(graph: GraphParts): ProtobufMessage {
  return new ProtobufMessage()
    .integer(1, IR_VERSION)
    .text(2, "nopeek")
    .message(7, graphMessage(graph))
    .message(8, new ProtobufMessage().text(1, "").integer(2, OPSET_VERSION));
}

function graphMessage({ nodes, initializers, inputs, outputs }: GraphParts): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const node of nodes) message.message(1, nodeMessage(node));
  message.text(2, "gpt");
  for (const initializer of initializers) message.message(5, tensorMessage(initializer));
  for (const port of inputs) message.message(11, portMessage(port));
  for (const port of outputs) message.message(12, portMessage(port));
  return message;
}

function nodeMessage({ op, inputs, output, attributes }: Node): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const input of inputs) message.text(1, input);
  message.text(2, output).text(3, output).text(4, op);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attributeMessage(name, value));
  return message;
}

function attributeMessage(name: string, value: number | readonly number[]): ProtobufMessage {
  const message = new ProtobufMessage().text(1, name);
  if (typeof value === "number") return message.integer(3, value).integer(20, INTEGER_ATTRIBUTE);
  for (const element of value) message.integer(8, element);
  return message.integer(20, INTEGERS_ATTRIBUTE);
}

function tensorMessage({ name, shape, values }: Initializer): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const length of shape) message.integer(1, length);
  const type = values instanceof Float32Array ? "float32" : "int64";
  return message
    .integer(2, ELEMENT_TYPES[type])
    .text(8, name)
    .bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function portMessage({ name, type, shape }: Port): ProtobufMessage {
  const lengths = new ProtobufMessage();
  for (const length of shape) {
    const message = new ProtobufMessage();
    lengths.message(1, typeof length === "number" ? message.integer(1, length) : message.text(2, length));
  }
  const tensor = new ProtobufMessage().integer(1, ELEMENT_TYPES[type]).message(2, lengths);
  return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
}
