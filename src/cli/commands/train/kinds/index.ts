/** The study of each kind of model. */
import type { ModelKind } from "../../../../config/settings.ts";
import { prepareEncoder } from "./encoder.ts";
import { prepareGPT } from "./gpt.ts";
import type { Prepare } from "./kind.ts";
import { prepareSeq2Seq } from "./seq2seq.ts";

export const PREPARE: Readonly<Record<ModelKind, Prepare>> = {
  gpt: prepareGPT,
  encoder: prepareEncoder,
  seq2seq: prepareSeq2Seq,
};
