/** The flags of `nopeek chat`: those of `nopeek sample` that apply to a single text, and where prompts come from. */
import { Command } from "commander";
import { addSampleFlags, type SampleFlags } from "../sample/flags.ts";
import { helpLines } from "./slash-commands.ts";

export interface ChatFlags extends SampleFlags {
  readonly prompts?: string;
  /** false with `--no-echo`. */
  readonly echo?: boolean;
  readonly fresh?: boolean;
}

/** The flags that it shares with `nopeek sample`, by the name of their values. */
const SHARED: readonly string[] = [
  ...["tokens", "stop", "escapes", "unknown", "temperature", "topK", "topP", "minP", "seed"],
  ...["repetitionPenalty", "noRepeatNgram", "overflow", "echo"],
];

export function addChatFlags(command: Command): void {
  command
    .option("--prompts <file>", "read prompts from a file, one a line; - or a pipe: from standard input")
    .option("--fresh", "forget the text before each prompt, instead of continuing it");
  const sample = new Command();
  addSampleFlags(sample);
  for (const option of sample.options) if (SHARED.includes(option.attributeName())) command.addOption(option);
}

/** The end of `--help`: what can be typed. */
export function describeChat(): string {
  return ["", "A line is a prompt or a command:", ...helpLines().slice(1)].join("\n");
}
