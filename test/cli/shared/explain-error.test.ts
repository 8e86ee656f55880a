/** The library names settings; what the command line prints names flags. */
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addSampleFlags } from "../../../src/cli/commands/sample/flags.ts";
import { addCacheFlags, addCommonFlags, addSettingFlags } from "../../../src/cli/options/settings-flags.ts";
import { explainError, flagFor, namesToFlags } from "../../../src/cli/shared/explain-error.ts";
import { resolveSettings, SETTINGS } from "../../../src/config/settings.ts";
import { ConfigError } from "../../../src/errors.ts";

describe("a message of the library", () => {
  it.each([
    ["`gradClip` 1 usually helps", "--grad-clip 1 usually helps"],
    ["`dModel` must be a multiple of `heads`", "--d-model must be a multiple of --heads"],
    ["`beta1` and `minP`", "--beta1 and --min-p"],
    ["a folder named by `out`, or `inMemory` 0", "a folder named by --out, or --in-memory 0"],
    ["`backend` wasm works without it", "--backend wasm works without it"],
    ["`noRepeatNgram` must be at least 1", "--no-repeat-ngram must be at least 1"],
  ])("%j names flags: %j", (message, shown) => {
    expect(namesToFlags(message)).toBe(shown);
  });

  it.each([
    "gradClip without quotes",
    "`loadModel` loads any model",
    "`grad-clip`",
    "`constructor`",
    "``",
    "`",
  ])("%j stays as it is", (message) => {
    expect(namesToFlags(message)).toBe(message);
  });

  it("is translated when an error is printed", () => {
    expect(() => resolveSettings({ dModel: 5, heads: 2 })).toThrow("`dModel` must be a multiple of `heads`");
    const error = new ConfigError("`dModel` must be a multiple of `heads`: got 5");
    expect(explainError(error)).toBe("--d-model must be a multiple of --heads: got 5");
  });
});

it("knows every flag of train and sample by its setting's name", () => {
  const command = new Command();
  addSettingFlags(command, SETTINGS);
  addCommonFlags(command);
  addCacheFlags(command);
  const sample = new Command();
  addSampleFlags(sample);
  const options = [...command.options, ...sample.options].filter(({ negate }) => !negate);
  expect(options.length).toBeGreaterThan(60);
  for (const option of options) {
    const name = option.attributeName();
    if (name === "json" || name === "explain") continue;
    expect(namesToFlags(`\`${name}\``)).toBe(option.long);
  }
});

it("writes a setting as a flag with its value", () => {
  expect(flagFor("dModel", 5)).toBe("--d-model 5");
  expect(flagFor("qkNorm", true)).toBe("--qk-norm");
  expect(flagFor("normWeights", false)).toBe("--no-norm-weights");
});
