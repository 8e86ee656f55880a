/** The model of a step's time agrees with what was measured, and with what follows from it by hand. */
import { describe, expect, it } from "vitest";
import { type Cluster, exchangeMs, stepMs } from "../../../../scripts/bench/cluster/step-time.ts";
import { clusterOf } from "../../../../scripts/bench/cluster/tables.ts";

const FREE: Cluster = {
  megabitsPerSecond: Number.POSITIVE_INFINITY,
  roundTripMs: 0,
  byteNs: 0,
  messageUs: 0,
  numberNs: 0,
};

/** Several processes share two cores, so the work of each takes longer. The line of each has 1 Gbit/s. */
function measuredOn(ranks: number, roundTripMs: number): Cluster {
  const { byteNs, messageUs, numberNs, ...line } = clusterOf(1);
  const share = ranks / 2;
  return {
    ...line,
    roundTripMs,
    byteNs: byteNs * share,
    messageUs: messageUs * share,
    numberNs: numberNs * share,
  };
}

describe("the time of an exchange", () => {
  // Least times in ms: docs/LOG.md, 2026-11-28.
  it.each([
    [2, 0.1, [12.9, 33.4, 142.2, 418.9]],
    [2, 10.1, [44.3, 64.3, 175, 488]],
    [2, 20.1, [80.5, 94.2, 235, 597]],
    [4, 0.1, [21.5, 51.7, 228, 718.5]],
    [8, 0.1, [28, 71.2, 282.5, 777.7]],
  ])(
    "of %i processes, with a round trip of %d ms, is at most a fifth off",
    (ranks, roundTripMs, measured) => {
      for (const [i, parameters] of [400_000, 1_000_000, 4_250_000, 12_500_000].entries()) {
        const ratio = exchangeMs(parameters, ranks, measuredOn(ranks, roundTripMs)) / measured[i];
        expect(ratio, `${parameters}`).toBeGreaterThan(0.8);
        expect(ratio, `${parameters}`).toBeLessThan(1.2);
      }
    },
  );

  it.each([2, 8, 64, 1024])(
    "of %i processes is that of 8 · (R − 1)/R bytes, if the line is the limit",
    (ranks) => {
      const parameters = 2 ** 20;
      const ms = exchangeMs(parameters, ranks, { ...FREE, megabitsPerSecond: 1000 });
      expect(ms).toBeCloseTo((parameters * 8 * 8 * (ranks - 1)) / ranks / 1e6, 9);
    },
  );

  it("is that of a message to each, twice, if the numbers are few", () => {
    expect(exchangeMs(1000, 100, { ...FREE, messageUs: 7 })).toBeCloseTo((2 * 99 * 7) / 1000, 9);
  });

  it("has a round trip for short messages, and three for those that are announced", () => {
    const far = { ...FREE, roundTripMs: 10 };
    expect(exchangeMs(2 * 16_383, 2, far)).toBe(10);
    expect(exchangeMs(2 * 16_384, 2, far)).toBe(30);
    // Six rounds, of which each begins when a message of the one before has arrived.
    expect(exchangeMs(6 * 2 ** 20, 2, far)).toBe(30 + 5 * 15);
  });

  it("is set by what takes longest, once the first round has passed", () => {
    const [line, process] = [{ megabitsPerSecond: 800 }, { numberNs: 10 }];
    const million = 2 ** 20 / 1e6;
    const rounds = (cluster: Partial<Cluster>) => exchangeMs(5 * 2 ** 20, 2, { ...FREE, ...cluster });
    expect(rounds({ ...line, ...process })).toBeCloseTo((5 * 40 + 10) * million, 6);
    expect(rounds({ ...line, numberNs: 50 })).toBeCloseTo((40 + 5 * 50) * million, 6);
    expect(rounds({ ...line, byteNs: 9, ...process })).toBeCloseTo((40 + 10 + 4 * 46) * million, 6);
  });

  it("is 0 for one process, and less than half with messages that are not short, for a thousand", () => {
    expect(exchangeMs(1e8, 1, clusterOf(1))).toBe(0);
    expect(exchangeMs(1e8, 1024, clusterOf(10)) / exchangeMs(1e8, 1024, clusterOf(10), 2 ** 20)).toBeLessThan(
      0.5,
    );
  });
});

it("a step is its parts, shared out, a message with losses to each, and the exchange", () => {
  expect(stepMs(1200, 10_000, 4, { ...FREE, messageUs: 500 })).toBe(300 + 1.5 + 3);
  expect(stepMs(1200, 10_000, 4, { ...FREE, roundTripMs: 6 })).toBe(300 + 3 + 6);
  expect(stepMs(1200, 10_000, 1, clusterOf(1))).toBe(1200);
});
