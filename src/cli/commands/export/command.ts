/** `nopeek export`: writes a model for other programs. */
import { basename, resolve } from "node:path";
import { ConfigError } from "../../../errors.ts";
import { modelCard } from "../../../interop/model-card.ts";
import {
  type PortableEncoderDecoder,
  type PortableModel,
  portableEncoderDecoder,
  portableModel,
} from "../../../interop/portable-model.ts";
import { countParameters } from "../../../nn/count-parameters.ts";
import { gptConfigOf } from "../../../run/config.ts";
import { explainFailures } from "../../../run/files.ts";
import { asEvaluation, type RunEvaluation } from "../../../run/log.ts";
import { LogReader } from "../../../run/log-reader.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { formatBytes, formatCount, plural, shellWord } from "../../../util/format.ts";
import { parentPath } from "../../../util/paths.ts";
import { explainError } from "../../shared/explain-error.ts";
import { type ReadModel, readModel } from "../../shared/open-model.ts";
import { Terminal } from "../../terminal/output.ts";
import { ENCODER_DECODER_FORMATS } from "./encoder-decoder-formats.ts";
import { type ExportFlags, FORMAT_NAMES, type FormatName } from "./flags.ts";
import { type ExportFormat, FORMATS } from "./formats.ts";
import { rarestToken } from "./rarest-token.ts";
import { trainingCommand } from "./training-command.ts";
import { checkNewFolder, writeNewFolder } from "./write-folder.ts";

export async function exportModel(word: string | undefined, flags: ExportFlags): Promise<void> {
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  if (saved.config.settings.model === "seq2seq")
    await exportAs(ENCODER_DECODER_FORMATS, portableEncoderDecoder(saved), saved, flags, terminal);
  else await exportAs(FORMATS, portableModel(saved), saved, flags, terminal);
}

type Formats<Model> = Readonly<Record<FormatName, ExportFormat<Model>>>;

async function exportAs<Model extends PortableModel | PortableEncoderDecoder>(
  formats: Formats<Model>,
  model: Model,
  saved: ReadModel,
  flags: ExportFlags,
  terminal: Terminal,
): Promise<void> {
  if (flags.format === undefined) {
    if (flags.out !== undefined) throw new ConfigError(`--out needs --format: ${FORMAT_NAMES.join(", ")}`);
    listFormats(formats, model, saved, flags, terminal);
  } else await writeFormat(flags.format, formats[flags.format], model, saved, flags, terminal);
}

async function writeFormat<Model extends PortableModel | PortableEncoderDecoder>(
  name: FormatName,
  format: ExportFormat<Model>,
  model: Model,
  saved: ReadModel,
  { out = `${nameOf(saved)}-${name}`, dtype = "f32", json }: ExportFlags,
  terminal: Terminal,
): Promise<void> {
  const { settings, tokenizer } = saved.config;
  const parameters = countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model);
  const description = format.describe(model);
  checkNewFolder(out);
  const needed = format.needsEndToken?.(model) === true ? await chooseEndToken(saved, terminal) : {};
  const options = { name: nameOf(saved), folder: basename(resolve(out)), dtype, ...needed };
  const card = modelCard({
    name: nameOf(saved),
    model,
    parameters,
    run: saved.config,
    step: saved.files.step,
    validation: validationOf(saved),
    command: trainingCommand(saved.config),
    library: format.library,
    format: format.title,
    usage: format.usage(options),
  });
  const files = [...format.files(model, options), card];
  writeNewFolder(out, files);
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  if (json) {
    const names = files.map((file) => ({ name: file.name, bytes: file.bytes.length }));
    terminal.json({ format: name, architecture: description, dtype, parameters, folder: out, files: names });
  } else {
    terminal.line(`wrote ${out}: ${format.title}, as ${description}`);
    terminal.note(
      `${formatCount(parameters)} parameters of step ${saved.files.step}, ${plural(files.length, "file")}, ${formatBytes(bytes)}; its README.md says how to load it`,
    );
  }
}

/** Takes the character that the model writes least often, and says so. */
async function chooseEndToken(saved: ReadModel, terminal: Terminal): Promise<{ endToken: number }> {
  const { id, probability } = await rarestToken(saved);
  const character = JSON.stringify(saved.config.tokenizer.decode([id]));
  terminal.note(
    `warning: this format needs a token that ends a text, and the model was trained without one, so texts end at ${character}, which it writes least often: once in ${formatCount(Math.round(1 / probability))} characters. A model trained with --documents has an end token`,
  );
  return { endToken: id };
}

/** Without --format: what the model can become, and why not the rest. */
function listFormats<Model>(
  formats: Formats<Model>,
  model: Model,
  saved: ReadModel,
  { json }: ExportFlags,
  terminal: Terminal,
): void {
  const list = FORMAT_NAMES.map((name) => ({ name, ...attempt(formats[name], model) }));
  if (json) {
    terminal.json({ formats: list });
    return;
  }
  for (const { name, architecture, obstacle } of list) {
    const { title } = formats[name];
    terminal.line(
      `${name.padEnd(5)} ${title}: ${obstacle === null ? `as ${architecture}` : `no: ${obstacle}`}`,
    );
  }
  const possible = list.find(({ obstacle }) => obstacle === null);
  if (possible !== undefined)
    terminal.note(`write one with: npx nopeek export ${shellWord(saved.path)} --format ${possible.name}`);
}

function attempt<Model>(
  format: ExportFormat<Model>,
  model: Model,
): { readonly architecture: string | null; readonly obstacle: string | null } {
  try {
    return { architecture: format.describe(model), obstacle: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { architecture: null, obstacle: explainError(error) };
  }
}

/** The name of the run. */
function nameOf({ files }: ReadModel): string {
  return basename(resolve(parentPath(files.folder)));
}

/** The loss that was measured, not estimated, at the step of the weights; null if there is none. */
function validationOf({ files: { folder, step } }: ReadModel): RunEvaluation | null {
  let validation: RunEvaluation | null = null;
  for (const entry of new LogReader(explainFailures(nodeFiles), parentPath(folder)).entries()) {
    const evaluation = asEvaluation(entry);
    if (evaluation !== null && evaluation.step === step && !evaluation.isEstimate) validation = evaluation;
  }
  return validation;
}
