/** The flags of `nopeek export`. */
import { type Command, Option } from "commander";
import { NUMBER_TYPES, type NumberType } from "../../../interop/number-types.ts";
import { addModelFlags, type ModelFlags } from "../../shared/find-model.ts";

export const FORMAT_NAMES = ["hf", "onnx", "gguf"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

export interface ExportFlags extends ModelFlags {
  readonly format?: FormatName;
  readonly out?: string;
  readonly dtype?: NumberType;
  readonly json?: boolean;
}

export function addExportFlags(command: Command): void {
  addModelFlags(command);
  command
    .addOption(
      new Option(
        "--format <name>",
        "hf: a folder for Hugging Face's transformers; onnx: one for transformers.js and ONNX runtimes; gguf: a file for llama.cpp",
      ).choices(FORMAT_NAMES),
    )
    .addOption(
      new Option("--out <folder>", "the folder to write, which must not exist").default(
        undefined,
        "<run>-<format> in the current folder",
      ),
    )
    .addOption(
      new Option("--dtype <type>", "hf and gguf: store weights as float32, float16 or bfloat16")
        .choices(NUMBER_TYPES)
        .default(undefined, "f32"),
    )
    .option("--json", "print machine-readable results on stdout");
}
