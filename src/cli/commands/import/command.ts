/** `nopeek import`: makes a run of a model in the format of Hugging Face. */
import { basename, resolve } from "node:path";
import { type ImportedModel, importFolder, saveImported } from "../../../interop/index.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { formatCount, plural, shellWord } from "../../../util/format.ts";
import { awaitLease } from "../../shared/await-lease.ts";
import { processes } from "../../shared/process-lock.ts";
import { stderrReporter, Terminal } from "../../terminal/output.ts";
import { checkFree, claimFolder, claimNextFolder } from "../train/claim-folder.ts";

export interface ImportFlags {
  readonly out?: string;
  readonly contextLength?: number;
  readonly ignoreFields?: readonly string[];
}

/** @throws NopeekError before anything is written, if the folder is not a model that nopeek computes */
export async function importModel(
  folder: string,
  { out, contextLength, ignoreFields }: ImportFlags,
): Promise<void> {
  const terminal = new Terminal();
  const seen = out === undefined ? processes() : await awaitLease(out, stderrReporter());
  if (out !== undefined) checkFree(out, seen);
  const model = importFolder(folder, nodeFiles, { contextLength, ignoreFields });
  const { path, lock } = out === undefined ? claimNextFolder(nameFor(folder)) : claimFolder(out, seen);
  try {
    saveImported(path, model, nodeFiles);
  } finally {
    lock.release();
  }
  report(terminal, path, model);
}

/** The name of the folder, as the start of a name in checkpoints/. */
function nameFor(folder: string): string {
  return basename(resolve(folder)).replace(/[^\w.-]+/g, "-") || "imported";
}

function report(terminal: Terminal, path: string, { config, tensors, remarks }: ImportedModel): void {
  const { settings, tokenizer, origin } = config;
  const parameters = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
  terminal.note(
    `model       ${origin?.modelType}: ${plural(settings.layers, "layer")}, ${plural(settings.heads, "head")}, ${settings.dModel} channels, context ${formatCount(settings.contextLength)}: ${formatCount(parameters)} parameters, from ${origin?.numbers.join(", ")}`,
  );
  terminal.note(`vocabulary  ${formatCount(tokenizer.vocabSize)} tokens, ${tokenizer.kind}`);
  for (const remark of remarks) terminal.note(`note        ${remark}`);
  terminal.note(`saved in    ${path}`);
  terminal.note(`next        npx nopeek sample ${shellWord(path)} --prompt "…"`);
}
