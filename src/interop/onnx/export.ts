/** A model as an ONNX file. */
import { ConfigError } from "../../errors.ts";
import { checkTypes } from "../../util/check-types.ts";
import type { PortableModel } from "../portable-model.ts";
import { decoderGraph } from "./decoder.ts";
import { modelMessage } from "./messages.ts";

/** A protocol buffer is shorter than 2 GiB. Larger models would need their weights in a second file. */
const BYTES_LIMIT = 2 ** 31 - 1;

/**
 * The model as one ONNX file in single precision, with the inputs and outputs of a decoder with a KV cache; see
 * decoder.ts. Operator set 18, without operators of any runtime.
 *
 * @throws ConfigError when the file would have 2 GiB or more, or the vocabulary is too large for bigrams
 * @example files.write("model.onnx", onnxBytes(portableModel(saved)))
 */
export function onnxBytes(model: PortableModel): Uint8Array {
  checkTypes("onnxBytes", { model }, { model: ["config", "tensors"] });
  const message = modelMessage(decoderGraph(model.config, model.tensors));
  if (message.byteLength <= BYTES_LIMIT) return message.finish();
  throw new ConfigError(
    `onnx: one file holds less than 2 GiB: this model would need ${message.byteLength} bytes, and weights in a second file are not supported`,
  );
}
