/** What config.json keeps of changed settings. */
import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../src/config/settings.ts";
import { CheckpointError } from "../../src/errors.ts";
import { runConfigFromJSON, runConfigToJSON } from "../../src/run/config.ts";
import { changeSettings, earlierSchedules, settingsAfter } from "../../src/run/settings-history.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";

const first = resolveSettings({ steps: 100, learningRate: 1e-2 });
const second = { ...first, steps: 200, learningRate: 1e-3, warmupSteps: 0 };
const third = { ...second, steps: 300, learningRate: 5e-4 };
const once = changeSettings({ settings: first }, 100, second, "begins");
const watched = changeSettings(once, 150, { ...second, patience: 7 }, "kept");
const twice = changeSettings(watched, 200, { ...third, patience: 7 }, "begins");

describe("the changes of a run", () => {
  it("lead back to the settings of any step", () => {
    expect(settingsAfter(twice, 99).settings).toEqual(first);
    expect(settingsAfter(twice, 100).settings).toEqual(second);
    expect(settingsAfter(twice, 199).settings).toEqual({ ...second, patience: 7 });
    expect(settingsAfter(twice, 200).settings).toEqual({ ...third, patience: 7 });
  });

  it("give the schedules before the present one", () => {
    const pieces = earlierSchedules(twice).map(({ until, steps, learningRate }) => [
      until,
      steps,
      learningRate,
    ]);
    expect(pieces).toEqual([
      [100, 100, 1e-2],
      [200, 200, 1e-3],
    ]);
    expect(earlierSchedules({ settings: first })).toEqual([]);
  });

  it("after the step of a resume no longer count", () => {
    const back = changeSettings(twice, 120, { ...second, steps: 400 }, "begins");
    expect(back.changes.map(({ afterStep }) => afterStep)).toEqual([100, 120]);
    expect(settingsAfter(back, 110).settings).toEqual(second);
    expect(earlierSchedules(back).map(({ until, steps }) => [until, steps])).toEqual([
      [100, 100],
      [120, 200],
    ]);
  });

  it("that change no step leave the later ones", () => {
    const back = changeSettings(twice, 120, { ...third, patience: 9 }, "kept");
    expect(earlierSchedules(back)).toEqual(earlierSchedules(twice));
    expect(back.changes.map(({ afterStep }) => afterStep)).toEqual([100, 120, 150, 200]);
  });

  it("survive config.json", () => {
    const config = { ...twice, tokenizer: new ByteTokenizer(), corpus: null };
    const back = runConfigFromJSON(JSON.parse(JSON.stringify(runConfigToJSON(config))), "config.json");
    expect({ settings: back.settings, changes: back.changes }).toEqual({ ...twice });
    expect(JSON.stringify(runConfigToJSON({ ...config, changes: [] }))).not.toContain("changes");
  });

  it.each([
    ["an unknown setting", { afterStep: 3, before: { stepz: 1 }, newSchedule: true }],
    ["a value out of range", { afterStep: 3, before: { steps: -1 }, newSchedule: true }],
    ["a step that is not one", { afterStep: 1.5, before: {}, newSchedule: true }],
    ["a step before the one before", { afterStep: 3, before: {}, newSchedule: false }],
  ])("are rejected for %s", (_, change) => {
    const json = runConfigToJSON({ settings: first, tokenizer: new ByteTokenizer(), corpus: null });
    const changes = [{ afterStep: 5, before: {}, newSchedule: false }, change];
    const given = JSON.parse(JSON.stringify({ ...json, changes }));
    expect(() => runConfigFromJSON(given, "config.json")).toThrow(CheckpointError);
  });
});
