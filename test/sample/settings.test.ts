import { describe, expect, test } from "vitest";
import { SampleError } from "../../src/errors.ts";
import { checkSampleSettings, type SampleSettings } from "../../src/sample/settings.ts";

const PLAIN: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };

test.each<Partial<SampleSettings>>([
  { temperature: -0.1 },
  { temperature: Number.NaN },
  { temperature: Number.POSITIVE_INFINITY },
  { topK: 0 },
  { topK: -3 },
  { topK: 2.5 },
  { topK: Number.NaN },
  { topP: 0 },
  { topP: -0.2 },
  { topP: 1.01 },
  { topP: Number.NaN },
  { minP: -0.01 },
  { minP: 1.01 },
  { minP: Number.NaN },
  { repetitionPenalty: 0 },
  { repetitionPenalty: -1.2 },
  { repetitionPenalty: Number.NaN },
  { repetitionPenalty: Number.POSITIVE_INFINITY },
  { noRepeatNgram: 0 },
  { noRepeatNgram: -2 },
  { noRepeatNgram: 1.5 },
  { noRepeatNgram: Number.NaN },
])("rejects %o, naming the setting and its value", (wrong) => {
  const [[name, value]] = Object.entries(wrong);
  const settings = { ...PLAIN, ...wrong };
  expect(() => checkSampleSettings(settings)).toThrow(SampleError);
  expect(() => checkSampleSettings(settings)).toThrow(`got ${value}`);
  expect(() => checkSampleSettings(settings)).toThrow(new RegExp(`^\`${name}\` must be`));
});

describe("accepts", () => {
  test("the limits of every range", () => {
    checkSampleSettings({ ...PLAIN, temperature: 0, topK: 1, topP: 1, minP: 0, noRepeatNgram: 1 });
    checkSampleSettings({ ...PLAIN, temperature: 1e9, topK: 1e9, topP: Number.MIN_VALUE, minP: 1 });
    checkSampleSettings({ ...PLAIN, repetitionPenalty: Number.MIN_VALUE, noRepeatNgram: 1e9 });
  });

  test("omitted and null settings", () => {
    checkSampleSettings(PLAIN);
    checkSampleSettings({ ...PLAIN, minP: null, repetitionPenalty: null, noRepeatNgram: null });
  });
});
