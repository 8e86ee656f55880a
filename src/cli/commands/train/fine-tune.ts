/** `--from`: a trained model to fine-tune on another text. */
import { dirname, join } from "node:path";
import { flagOf, SETTINGS, type SettingName, type Settings } from "../../../config/settings.ts";
import { ConfigError } from "../../../errors.ts";
import type { NamedTensors } from "../../../nn/parameters.ts";
import { type RunConfig, runConfigFromJSON } from "../../../run/config.ts";
import { loadModelFiles } from "../../../run/on-disk.ts";
import { restore } from "../../../run/restore.ts";
import { settingsAfter } from "../../../run/settings-history.ts";
import { describeModel, findModel } from "../../shared/find-model.ts";

/** Model settings that change no weight's shape or meaning. */
const FREE: readonly SettingName[] = ["dropout", "attention"];

export class PretrainedModel {
  readonly path: string;
  readonly config: RunConfig;
  readonly #files: ReturnType<typeof loadModelFiles>;

  /** Which model and which step: "checkpoints/my-1: its best step, 500". */
  readonly description: string;

  /**
   * @param word a run, by its path or its name
   * @param step "best", "latest" or the name of a step directory; by default the best
   * @throws CheckpointError when the folder does not hold a complete model
   */
  constructor(word: string, step?: string) {
    const found = findModel({ model: word, step });
    this.path = found.path;
    this.#files = loadModelFiles(found.path, found.which);
    this.config = runConfigFromJSON(this.#files.config, join(dirname(this.#files.folder), "config.json"));
    this.description = describeModel(found, { config: this.config, files: this.#files });
  }

  /** The settings that its training started with: those at its end may be those of a lengthened run. */
  get startedWith(): Settings {
    return settingsAfter(this.config, -1).settings;
  }

  /** @throws ConfigError when the settings describe another model */
  check(settings: Settings): void {
    const changed = SETTINGS.filter(({ name, group }) => group === "model" && !FREE.includes(name))
      .map(({ name }) => name)
      .filter((name) => settings[name] !== this.config.settings[name]);
    if (changed.length === 0) return;
    const free = FREE.map((name) => `--${flagOf(name)}`).join(" and ");
    throw new ConfigError(
      `--from keeps the model as it is; of its settings only ${free} may change: got ${changed.map((name) => `--${flagOf(name)}`).join(", ")}`,
    );
  }

  /** Replaces random weights by the trained ones. */
  fill(parameters: NamedTensors): void {
    restore(parameters, this.#files.tensors, join(this.#files.folder, "model.safetensors"));
  }
}
