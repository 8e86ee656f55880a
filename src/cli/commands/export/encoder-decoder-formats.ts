/** The formats of `nopeek export` for encoder–decoders: one holds them. */
import { ConfigError } from "../../../errors.ts";
import { describeMisfit, encoderDecoderMisfit } from "../../../interop/architecture.ts";
import { exportEncoderDecoder } from "../../../interop/hugging-face/encoder-decoder.ts";
import type { PortableEncoderDecoder } from "../../../interop/portable-model.ts";
import { flagFor } from "../../shared/explain-error.ts";
import type { FormatName } from "./flags.ts";
import { type ExportFormat, FORMATS } from "./formats.ts";

type Format = ExportFormat<PortableEncoderDecoder>;

export const ENCODER_DECODER_FORMATS: Readonly<Record<FormatName, Format>> = {
  hf: {
    title: FORMATS.hf.title,
    describe: ({ config }) => {
      const misfit = encoderDecoderMisfit(config);
      if (misfit !== null) throw new ConfigError(describeMisfit(misfit, flagFor));
      return "Blenderbot";
    },
    files: exportEncoderDecoder,
    library: FORMATS.hf.library,
    usage: () => ({ language: "python", code: TRANSFORMERS }),
  },
  onnx: refused("onnx"),
  gguf: refused("gguf"),
};

function refused(name: "onnx" | "gguf"): Format {
  const refuse = () => {
    throw new ConfigError(`${name} needs a model of kind gpt: got seq2seq, which hf can hold`);
  };
  const { title, library } = FORMATS[name];
  return { title, library, describe: refuse, files: refuse, usage: refuse };
}

const TRANSFORMERS = `from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder = "."  # this folder, or its name on the Hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSeq2SeqLM.from_pretrained(folder)
sources = tokenizer(["abbb", "baa"], padding=True, return_tensors="pt")
answers = model.generate(sources.input_ids, attention_mask=sources.attention_mask)
print(tokenizer.batch_decode(answers, skip_special_tokens=True))`;
