/** Eight lines of library code: a trained model that continues its text, the same for the same seed, and nothing left open. */
import { expect, test } from "vitest";
import { ConfigError, DataError, TokenError } from "../src/errors.ts";
import { trainGPT } from "../src/quickstart.ts";

const text = "the cat sat on the mat and the dog sat on the log. ".repeat(20);

test("trains, samples, and gives the same text for the same seed", async () => {
  const losses: number[] = [];
  const options = { steps: 300, contextLength: 64, seed: 7 };
  const model = await trainGPT(text, { ...options, onStep: ({ lossNats }) => losses.push(lossNats) });
  expect(losses).toHaveLength(300);
  expect(losses[299]).toBeLessThan(losses[0] / 3);
  const greedy = await model.sample("the cat", { tokens: 43, strategy: "greedy" });
  expect(greedy).toBe("the cat sat on the mat and the dog sat on the log.");
  const drawn = await model.sample("the", { tokens: 90, temperature: 1.5 });
  expect(drawn).toMatch(/^the/);
  expect(drawn).toHaveLength(93);
  expect(await model.sample("the", { tokens: 90, temperature: 1.5 })).toBe(drawn);
  expect(await model.sample("the", { tokens: 90, temperature: 1.5, seed: 2 })).not.toBe(drawn);
  await expect(model.sample("Z")).rejects.toThrow(TokenError);
  await model.close();

  const again = await trainGPT(text, options);
  expect(await again.sample("the", { tokens: 90, temperature: 1.5 })).toBe(drawn);
  await again.close();
});

test("accepts a text shorter than the context, and says what is wrong with less", async () => {
  const short = await trainGPT("ab", { steps: 2 });
  expect(short.model.config.contextLength).toBe(1);
  await short.close();
  await expect(trainGPT("a", { steps: 2 })).rejects.toThrow(DataError);
  await expect(trainGPT(text, { heads: 5 })).rejects.toThrow(ConfigError);
});
