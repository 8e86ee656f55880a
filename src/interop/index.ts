/**
 * Models in the formats of other programs: `import { … } from "nopeek/interop"`. Functions take and return bytes; no
 * module that this one reaches imports anything of Node's.
 */
export {
  type ArchitectureName,
  architectureOf,
  describeMisfit,
  encoderDecoderMisfit,
  type Fit,
  fitArchitecture,
  type Misfit,
  type Obstacle,
} from "./architecture.ts";
export { exportGGUF, type GGUFOptions } from "./gguf/export.ts";
export { exportEncoderDecoder } from "./hugging-face/encoder-decoder.ts";
export { exportHuggingFace, type HuggingFaceOptions } from "./hugging-face/export.ts";
export {
  type ImportedModel,
  type ImportOptions,
  importFolder,
  saveImported,
} from "./import/import-folder.ts";
export { type ModelCard, modelCard } from "./model-card.ts";
export type { NumberType } from "./number-types.ts";
export { onnxBytes } from "./onnx/export.ts";
export { onnxFolder } from "./onnx/folder.ts";
export {
  type ExportedFile,
  type PortableEncoderDecoder,
  type PortableModel,
  portableEncoderDecoder,
  portableModel,
} from "./portable-model.ts";
export { type TokenizerFiles, tokenizerFiles } from "./tokenizer-json.ts";
