/** The command that trains a model like that of a run: a preset, and the settings in which the run differs. */
import { PRESETS } from "../../../config/presets.ts";
import { belongsTo, resolveSettings, SETTINGS, type Settings } from "../../../config/settings.ts";
import { TALES_NAME } from "../../../data/tales.ts";
import type { CorpusRecord, RunConfig } from "../../../run/config.ts";
import { shellWord } from "../../../util/format.ts";
import { lastPart } from "../../../util/paths.ts";
import { flagFor } from "../../shared/explain-error.ts";

/** Folders are left out of paths: they say who trained the model, and where. */
export function trainingCommand({ settings, corpus, from }: RunConfig): string {
  const choices = Object.entries(PRESETS)
    .filter(([, preset]) => (preset.settings.model ?? "gpt") === settings.model)
    .map(([name, preset]) => ({ name, flags: differences(settings, resolveSettings(preset.settings)) }));
  const { name, flags } = choices.reduce((best, each) =>
    each.flags.length < best.flags.length ? each : best,
  );
  const words = ["npx nopeek train", ...dataOf(corpus), ...fromOf(from), `--preset ${name}`, ...flags];
  return words.join(" ");
}

function differences(settings: Settings, preset: Settings): string[] {
  return SETTINGS.filter((setting) => belongsTo(settings, setting))
    .filter(({ name }) => settings[name] !== preset[name])
    .map(({ name }) => flagFor(name, settings[name]));
}

function dataOf(corpus: CorpusRecord | null): string[] {
  if (corpus === null || corpus.path === TALES_NAME) return [];
  const { path, paths = [path], validation = [], include = [] } = corpus;
  const words = (flag: string, names: readonly string[]) =>
    names.length === 0 ? [] : [flag, ...names.map((name) => shellWord(lastPart(name)))];
  return [...words("--data", paths), ...words("--validation", validation), ...words("--include", include)];
}

function fromOf(from: string | undefined): string[] {
  return from === undefined ? [] : ["--from", shellWord(lastPart(from))];
}
