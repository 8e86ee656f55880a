/** The formats of `nopeek export`. */
import { ConfigError } from "../../../errors.ts";
import { describeMisfit, fitArchitecture } from "../../../interop/architecture.ts";
import { exportGGUF, ggufArchitectureOf } from "../../../interop/gguf/export.ts";
import { needsEndToken } from "../../../interop/gguf/vocabulary.ts";
import { exportHuggingFace } from "../../../interop/hugging-face/export.ts";
import type { NumberType } from "../../../interop/number-types.ts";
import { onnxFolder } from "../../../interop/onnx/folder.ts";
import type { ExportedFile, PortableModel } from "../../../interop/portable-model.ts";
import { flagFor } from "../../shared/explain-error.ts";
import type { FormatName } from "./flags.ts";

export interface ExportOptions {
  /** The name of the run. */
  readonly name: string;
  /** The last part of the folder's name. */
  readonly folder: string;
  readonly dtype: NumberType;
  /** If the format needs one. */
  readonly endToken?: number;
}

export interface ExportFormat<Model = PortableModel> {
  /** What the files are, as a noun with an article: "a folder for …". */
  readonly title: string;
  /**
   * What the model is in this format.
   *
   * @throws ConfigError if the format cannot hold the model
   */
  describe(model: Model): string;
  files(model: Model, options: ExportOptions): readonly ExportedFile[];
  /**
   * Whether a token must be named that ends a text, because the format needs one and the model has none. Default: never.
   */
  needsEndToken?(model: Model): boolean;
  /** The Hub's name of the library that reads the files. */
  readonly library: string;
  /** Code that loads them, for the model card. */
  usage(options: ExportOptions): { readonly language: string; readonly code: string };
}

export const FORMATS: Readonly<Record<FormatName, ExportFormat>> = {
  hf: {
    title: "a folder for Hugging Face's transformers",
    describe: ({ config }) => {
      const fit = fitArchitecture(config);
      if (fit.name === null) throw new ConfigError(describeMisfit(fit, flagFor));
      return fit.name;
    },
    files: exportHuggingFace,
    library: "transformers",
    usage: () => ({ language: "python", code: TRANSFORMERS }),
  },
  onnx: {
    title: "a folder for transformers.js, with an ONNX graph",
    describe: () => "an ONNX graph with a KV cache",
    files: (model, { dtype }) => {
      if (dtype !== "f32")
        throw new ConfigError(`\`dtype\` ${dtype} is for hf and gguf: an ONNX graph has float32 weights`);
      return onnxFolder(model);
    },
    library: "transformers.js",
    usage: () => ({ language: "js", code: TRANSFORMERS_JS }),
  },
  gguf: {
    title: "a GGUF file for llama.cpp",
    describe: ({ config }) => ggufArchitectureOf(config, flagFor),
    files: (model, options) => [{ name: GGUF_FILE, bytes: exportGGUF(model, options) }],
    needsEndToken: ({ tokenizer }) => needsEndToken(tokenizer),
    library: "gguf",
    usage: () => ({ language: "python", code: LLAMA_CPP }),
  },
};

const GGUF_FILE = "model.gguf";

// The name of the package is quoted by JSON, so that nothing takes this text for an import of this file.
const TRANSFORMERS_JS = `import { pipeline } from ${JSON.stringify("@huggingface/transformers")};

const folder = "."; // this folder, or its name on the Hub
const generator = await pipeline("text-generation", folder);
const [{ generated_text }] = await generator("One", { max_new_tokens: 50 });`;

const TRANSFORMERS = `from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this folder, or its name on the Hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
prompt = tokenizer("One", return_tensors="pt")
ids = model.generate(prompt.input_ids, attention_mask=prompt.attention_mask, max_new_tokens=50)
print(tokenizer.decode(ids[0]))`;

const LLAMA_CPP = `import xllamacpp  # one of many programs that are built on llama.cpp

params = xllamacpp.CommonParams()
params.model.path = "${GGUF_FILE}"
server = xllamacpp.Server(params)
answer = server.handle_completions({"prompt": "One ", "max_tokens": 200})
print(answer["choices"][0]["text"])`;
