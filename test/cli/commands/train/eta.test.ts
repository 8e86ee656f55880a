import { expect, test } from "vitest";
import { estimateMs, StepTimer } from "../../../../src/cli/commands/train/eta.ts";

test("starts from the measured time, then uses the time of steps and of pauses between them", () => {
  const pace = new StepTimer(7);
  expect([pace.stepMs, pace.leftMs(10)]).toEqual([7, 70]);
  for (const ms of [20, 20, 90, 20]) pace.stepped(ms);
  expect([pace.stepMs, pace.leftMs(10)]).toEqual([20, 200]);
  pace.paused(8);
  expect(pace.leftMs(10)).toBe(220);
});

test("uses only the last fifty steps", () => {
  const pace = new StepTimer(1);
  for (let i = 0; i < 100; i++) pace.stepped(5);
  for (let i = 0; i < 26; i++) pace.stepped(9);
  expect(pace.stepMs).toBe(9);
});

test("estimates a run from the time of the own parts of a step, and evaluations from all tokens", () => {
  // 4 parts of 30 tokens take 60 ms each.
  const evaluations = [
    { every: 10, tokens: 600 },
    { every: 25, tokens: 300 },
  ];
  const alone = { stepMs: 4 * 60, tokenMs: 2, evaluations };
  expect(estimateMs(alone, 20)).toBe(20 * 240 + (1200 + 300) * (2 / 3));
  expect(estimateMs({ ...alone, stepMs: 60 }, 20)).toBe(20 * 60 + 1000);
});
