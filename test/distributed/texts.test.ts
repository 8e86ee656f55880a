import { expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { broadcastTensors } from "../../src/distributed/tensors.ts";
import { broadcastText, gatherTexts } from "../../src/distributed/texts.ts";

it.each(["", "a", "ünï → 🦊", "long ".repeat(10_000)])(
  "a text of process 0 arrives everywhere",
  async (text) => {
    const arrived = await Promise.all(
      ranksInProcess(3).map((rank) => broadcastText(rank, rank.rank === 0 ? text : null)),
    );
    expect(arrived).toEqual([text, text, text]);
  },
);

it("texts of different lengths are collected in the order of the processes", async () => {
  const texts = ["one", "", "drei: ü", "4"];
  const collected = await Promise.all(ranksInProcess(4).map((rank) => gatherTexts(rank, texts[rank.rank])));
  expect(collected).toEqual([texts, texts, texts, texts]);
});

it("tensors get the numbers of process 0", async () => {
  const found = await Promise.all(
    ranksInProcess(2).map(async (rank) => {
      const context = new Context(new ReferenceBackend());
      const tensors = [[1, 2, 3], [4]].map((values) =>
        context.parameter([values.length], rank.rank === 0 ? values : values.map(() => -1)),
      );
      await broadcastTensors(rank, tensors);
      return Promise.all(tensors.map(async (tensor) => Array.from(await tensor.read())));
    }),
  );
  expect(found).toEqual([
    [[1, 2, 3], [4]],
    [[1, 2, 3], [4]],
  ]);
});
