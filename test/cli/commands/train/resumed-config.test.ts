/** What a resume may change, and what a repeated command does. */
import { describe, expect, it } from "vitest";
import type { TrainFlags } from "../../../../src/cli/commands/train/plan-run.ts";
import { resumedConfig } from "../../../../src/cli/commands/train/resumed-config.ts";
import { resolveSettings } from "../../../../src/config/settings.ts";
import type { RunConfig } from "../../../../src/run/config.ts";
import { earlierSchedules } from "../../../../src/run/settings-history.ts";
import { ByteTokenizer } from "../../../../src/text/byte-tokenizer.ts";

const settings = resolveSettings({ steps: 100, learningRate: 1e-2, minLearningRate: 1e-4, warmupSteps: 10 });
const saved: RunConfig = { settings, tokenizer: new ByteTokenizer(), corpus: null };
const flags = (given: Partial<TrainFlags>): TrainFlags => ({ backend: "wasm", resume: true, ...given });
const resume = (done: number, given: Partial<TrainFlags>, from = saved) =>
  resumedConfig(from, done, "run", flags(given));

describe("a resumed run", () => {
  it("without flags, or with those that it has already, keeps its config", () => {
    expect(resume(50, {}).config).toBe(saved);
    expect(resume(50, { steps: 100, learningRate: 1e-2 }).config).toBe(saved);
  });

  it("with more steps continues from its rate, and the command can be repeated", () => {
    const { config, remarks } = resume(100, { steps: 200 });
    expect(config.settings).toEqual({ ...settings, steps: 200, learningRate: 1e-4, warmupSteps: 0 });
    expect(remarks[0]).toContain("continues at 0.0001 and stays there");
    for (const done of [100, 130, 200]) expect(resume(done, { steps: 200 }, config).config).toBe(config);
  });

  it("restarts its schedule, once", () => {
    const longer = resume(100, { steps: 200 }).config;
    const { config, remarks } = resume(200, { steps: 300, restartSchedule: true }, longer);
    expect(config.settings).toEqual({ ...settings, steps: 300 });
    expect(earlierSchedules(config).map(({ until }) => until)).toEqual([100, 200]);
    expect(remarks[0]).toContain("warms up to 0.01, then cosine to 0.0001 at step 300");
    for (const done of [200, 250])
      expect(resume(done, { steps: 300, restartSchedule: true }, config).config).toBe(config);
  });

  it("changes its rate, and its minimum if that is higher", () => {
    const { config } = resume(50, { learningRate: 5e-5 });
    expect(config.settings).toMatchObject({
      learningRate: 5e-5,
      minLearningRate: 5e-5,
      warmupSteps: 0,
      steps: 100,
    });
    expect(config.settings.muonLearningRate).toBe(settings.muonLearningRate);
  });

  it("keeps its schedule when only its evaluations or its memory change", () => {
    const longer = resume(100, { steps: 200 }).config;
    const harmless = { patience: 3, measureTokens: 99, checkpointActivations: true };
    const { config } = resume(130, harmless, longer);
    expect(config.settings).toEqual({ ...longer.settings, ...harmless });
    expect(earlierSchedules(config)).toEqual(earlierSchedules(longer));
  });

  it("without a step yet starts with the new settings", () => {
    const { config, remarks } = resume(0, { steps: 50, learningRate: 3e-3 });
    expect(config.settings).toEqual({ ...settings, steps: 50, learningRate: 3e-3 });
    expect([earlierSchedules(config), remarks]).toEqual([[], []]);
  });

  it.each([
    ["another model", { layers: 2, seed: 3 }, "only --steps, --learning-rate"],
    ["another model, named", { layers: 2, seed: 3 }, "got --layers, --seed"],
    ["fewer steps than it has made", { steps: 49 }, "run has made 50 steps already"],
    ["another rate and no step for it", { steps: 50, learningRate: 1 }, "run has made all of its 50 steps"],
    ["a preset", { preset: "tiny" }, "got --preset"],
  ])("rejects %s", (_, given, message) => {
    expect(() => resume(50, given)).toThrow(message);
  });
});
