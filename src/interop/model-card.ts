/**
 * The model card of an export: README.md with the front matter that the Hugging Face Hub reads. Names of files and runs
 * may be foreign, so they are shown as code; folders are left out, because a path says who trained the model.
 */
import { belongsTo, SETTINGS, type Settings } from "../config/settings.ts";
import { exp } from "../math.ts";
import type { RunConfig } from "../run/config.ts";
import type { RunEvaluation } from "../run/log.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { largestOf } from "../util/extremes.ts";
import { formatBitsPerByte, formatCount, formatLoss, plural } from "../util/format.ts";
import { lastPart } from "../util/paths.ts";
import { printable, printableLine } from "../util/printable.ts";
import type { ExportedFile, PortableEncoderDecoder, PortableModel } from "./portable-model.ts";

export interface ModelCard {
  /** The name of the run. */
  readonly name: string;
  readonly model: PortableModel | PortableEncoderDecoder;
  /** The number of its parameters. */
  readonly parameters: number;
  readonly run: RunConfig;
  /** The number of updates that the weights had. */
  readonly step: number;
  /** Measured on the validation split at this step; null if it was not. */
  readonly validation: Pick<RunEvaluation, "lossNats" | "bitsPerByte"> | null;
  /** The command that trains such a model. */
  readonly command: string;
  /** The Hub's name of the library that reads the export. */
  readonly library: string;
  /** What the files are, as a noun with an article. */
  readonly format: string;
  /** Code that loads the export. */
  readonly usage: { readonly language: string; readonly code: string };
}

/** What the card says of a kind of model; `task` and `tag` are words of the Hub. */
const KINDS = {
  gpt: {
    noun: "GPT",
    task: "text-generation",
    tag: "gpt",
    end: ({ endOfText }: Tokenizer) =>
      endOfText === null ? "None of them ends a text." : "One of them ends a text.",
    limit: ({ contextLength }: Settings) =>
      `It reads at most ${formatCount(contextLength)} tokens, prompt and continuation together: stop there.`,
  },
  seq2seq: {
    noun: "encoder–decoder",
    task: "text2text-generation",
    tag: "encoder-decoder",
    end: () => "Two more, [start] and [end], begin and end an answer.",
    limit: ({ maxLength }: Settings) => `It reads at most ${plural(maxLength, "letter")}.`,
  },
} as const;

/** README.md */
export function modelCard(card: ModelCard): ExportedFile {
  const { library, name, format, usage, model, run, parameters } = card;
  const { noun, task, tag, limit, end } = KINDS[run.settings.model === "seq2seq" ? "seq2seq" : "gpt"];
  const sections = [
    frontMatter(library, task, tag),
    `# ${code(name)}`,
    `A small ${noun} with ${formatCount(parameters)} parameters, trained with nopeek and exported as ${format}. ${vocabularyOf(model.tokenizer)} ${end(model.tokenizer)}`,
    "## Use",
    fenced(usage.code, usage.language),
    limit(run.settings),
    "## Training data",
    dataOf(run),
    "## Training",
    trainingOf(card),
    fenced(card.command, "sh"),
    ...changesOf(run),
    "## Options",
    optionsOf(run),
    "## License",
    "The export does not know the license of the data or of the model. Add `license:` to the front matter before you publish it.",
  ];
  return { name: "README.md", bytes: new TextEncoder().encode(`${sections.join("\n\n")}\n`) };
}

function frontMatter(library: string, task: string, tag: string): string {
  return `---\nlibrary_name: ${library}\npipeline_tag: ${task}\ntags:\n- nopeek\n- ${tag}\n---`;
}

function vocabularyOf({ kind, vocabSize }: Tokenizer): string {
  const tokens = kind === "char" ? "characters" : kind === "byte" ? "bytes" : "pieces of text";
  return `Its ${formatCount(vocabSize)} tokens are ${tokens}.`;
}

function dataOf({ corpus, settings }: RunConfig): string {
  if (corpus === null) {
    const { task, minLength, maxLength, alphabetSize } = settings;
    return `Strings of ${minLength} to ${maxLength} of the first ${alphabetSize} letters, drawn at random, with answers that ${task} them.`;
  }
  const { path, paths = [path], sha256, characters, validation } = corpus;
  const lines = [
    `- ${formatCount(characters)} characters: ${paths.map((each) => code(lastPart(each))).join(", ")}`,
    `- SHA-256: ${code(sha256)}`,
  ];
  if (validation !== undefined)
    lines.push(`- validated on: ${validation.map((each) => code(lastPart(each))).join(", ")}`);
  return lines.join("\n");
}

function trainingOf({ step, validation, run, model }: ModelCard): string {
  const start = run.from === undefined ? "random weights" : `the model ${code(lastPart(run.from))}`;
  const begun = `The weights are those after ${plural(step, "update")}, from ${start}, with seed ${run.settings.seed}.`;
  if (validation === null) return `${begun} Their validation loss was not measured.`;
  const { kind } = model.tokenizer;
  const unit = kind === "char" ? "character" : kind === "byte" ? "byte" : "token";
  const { lossNats: loss, bitsPerByte } = validation;
  const measures = [
    `${formatLoss(loss)} nats per ${unit}`,
    ...(kind === "char" ? [`${(loss / Math.LN2).toFixed(4)} bits per character`] : []),
    ...(bitsPerByte === null ? [] : [`${formatBitsPerByte(bitsPerByte)} bits per byte of UTF-8`]),
  ].join(", or ");
  const probability = (100 * exp(-loss)).toFixed(1);
  return `${begun} Their validation loss is ${measures}: on text that it was not trained on, the model gives the next ${unit} a probability of ${probability}%, by the geometric mean.`;
}

function changesOf({ changes = [] }: RunConfig): string[] {
  if (changes.length === 0) return [];
  const steps = changes.map(({ afterStep }) => formatCount(afterStep)).join(", ");
  return [`The settings were changed during training, after steps ${steps}; the command has the last ones.`];
}

function optionsOf({ settings }: RunConfig): string {
  const options = SETTINGS.filter((setting) => setting.group === "model" && belongsTo(settings, setting));
  return options.map(({ name }) => `- ${name}: ${settings[name]}`).join("\n");
}

/** Foreign text as inline code, in which Markdown and HTML mean nothing. */
function code(text: string): string {
  const line = printableLine(text);
  const fence = "`".repeat(longestTicks(line) + 1);
  // A backtick at an end would belong to the fence.
  const space = /^`|`$|^ .* $/s.test(line) ? " " : "";
  return line === "" ? "(no name)" : `${fence}${space}${line}${space}${fence}`;
}

/** Foreign text as a block of code. */
function fenced(text: string, language: string): string {
  const fence = "`".repeat(Math.max(3, longestTicks(text) + 1));
  return `${fence}${language}\n${printable(text)}\n${fence}`;
}

function longestTicks(text: string): number {
  return largestOf(
    Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length),
    0,
  );
}
