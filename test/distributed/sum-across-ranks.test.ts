import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/backend/backend.ts";
import { openBackend } from "../../src/backend/open.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { roundsFor, sumAcrossRanks } from "../../src/distributed/sum-across-ranks.ts";
import { Random } from "../../src/random.ts";

const LENGTHS = [5, 0, 13, 1, 29];

/** The numbers of a rank: of different magnitudes, so that another order of additions rounds differently. */
function numbersOf(rank: number): Float32Array[] {
  const random = Random.of(3, "numbers", rank);
  return LENGTHS.map((length) =>
    Float32Array.from({ length }, () => (random.uniform() - 0.5) * 2 ** random.below(20)),
  );
}

/** (0 + 1) + (2 + 3), + 4: by hand, in single precision. */
function treeSum(ranks: number): number[][] {
  const add = (a: number, b: number) => Math.fround(a + b);
  const all = Array.from({ length: ranks }, (_, rank) => numbersOf(rank));
  return LENGTHS.map((length, k) =>
    Array.from({ length }, (_, i) => {
      const n = all.map((buffers) => buffers[k][i]);
      if (ranks === 2) return add(n[0], n[1]);
      if (ranks === 3) return add(add(n[0], n[1]), n[2]);
      return add(add(add(n[0], n[1]), add(n[2], n[3])), n[4]);
    }),
  );
}

async function sums(ranks: number, most: number, open: () => Promise<Backend>) {
  return Promise.all(
    ranksInProcess(ranks).map(async (communicator) => {
      const backend = await open();
      const buffers = numbersOf(communicator.rank).map((numbers) => {
        const buffer = backend.alloc(numbers.length);
        backend.write(buffer, numbers);
        return buffer;
      });
      await sumAcrossRanks(communicator, backend, buffers, most);
      return Promise.all(buffers.map(async (buffer) => Array.from(await backend.read(buffer))));
    }),
  );
}

describe.each([
  ["reference", () => Promise.resolve(new ReferenceBackend())],
  ["wasm", () => openBackend("wasm", 1)],
] as const)("buffers on %s", (_, open) => {
  it.each([
    [2, 1000],
    [3, 1000],
    [5, 1000],
    [2, 7],
    [3, 2],
    [5, 16],
  ])("of %i ranks are added in the tree, %i numbers at a time", async (ranks, most) => {
    const expected = treeSum(ranks);
    for (const found of await sums(ranks, most, open)) expect(found).toEqual(expected);
  });
});

it("are sent in rounds whose messages overlap, in memory for three rounds", async () => {
  const [first, second] = ranksInProcess(2);
  let [underWay, most] = [0, 0];
  const counting = async (call: Promise<void>) => {
    most = Math.max(most, ++underWay);
    await call;
    underWay -= 1;
  };
  const watched: Communicator = {
    ...{ rank: 0, size: 2 },
    exchange: (mine, theirs) => counting(first.exchange(mine, theirs)),
    gather: (mine, all) => counting(first.gather(mine, all)),
    broadcast: (numbers) => first.broadcast(numbers),
    abort: (code) => first.abort(code),
    close: () => first.close(),
  };
  const backend = new ReferenceBackend();
  let allocated = 0;
  const buffers = [watched, second].map(() => [backend.alloc(60)]);
  const alloc = backend.alloc.bind(backend);
  backend.alloc = (length) => {
    allocated += length;
    return alloc(length);
  };
  await Promise.all([watched, second].map((rank, i) => sumAcrossRanks(rank, backend, buffers[i], 10)));
  expect(most).toBeGreaterThan(1);
  // Two ranks, three rounds, a row to send and one to receive.
  expect(allocated).toBe(2 * 3 * 2 * 10);
});

it("of one rank stay as they are", async () => {
  expect(await sums(1, 10, () => Promise.resolve(new ReferenceBackend()))).toEqual([
    numbersOf(0).map((numbers) => Array.from(numbers)),
  ]);
});

it.each([
  [2, 50_000_000, { rounds: 96, slice: 520_834 }],
  [128, 781_250, { rounds: 96, slice: 8139 }],
  [1024, 97_657, { rounds: 12, slice: 8139 }],
  [1024, 390, { rounds: 1, slice: 390 }],
  [3, 0, { rounds: 0, slice: 0 }],
])("go to %i ranks in messages that are long or few, for slices of %i numbers", (ranks, longest, rounds) => {
  expect(roundsFor(longest, ranks)).toEqual(rounds);
});
