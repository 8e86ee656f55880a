/**
 * Predicts the time of a training step on many processes, from measured speeds. When all parts of a step are computed,
 * processes exchange gradients as src/distributed/sum-across-ranks.ts does it: in rounds, each with an exchange of
 * slices, additions, and an exchange of sums. Rounds overlap, so what takes longest sets the pace.
 */
import { roundsFor } from "../../../src/distributed/sum-across-ranks.ts";

/** Hosts with one process each, and their network. */
export interface Cluster {
  /** Data that a process can send, and receive at the same time, without the headers of packets. */
  readonly megabitsPerSecond: number;
  /** From one process to another and back. */
  readonly roundTripMs: number;
  /** Time of a process and its system for a byte that it sends and one that it receives. */
  readonly byteNs: number;
  /** The same for a message that it sends and one that it receives, whatever their length. */
  readonly messageUs: number;
  /** Time of a process for a number: copies into messages, additions, copies back (host.ts). */
  readonly numberNs: number;
}

/** Open MPI announces messages of this length on TCP, and sends them when the other side has answered. */
const ANNOUNCED_BYTES = 65_536;
const BYTES_PER_NUMBER = 4;

/** @param most the number of numbers that are sent at a time; by default, nopeek's */
function roundOf(parameters: number, ranks: number, cluster: Cluster, most?: number) {
  const { rounds, slice } = roundsFor(Math.ceil(parameters / ranks), ranks, most);
  // A slice to each other process, and a sum to each.
  const messages = 2 * (ranks - 1);
  const bytesOfOne = BYTES_PER_NUMBER * slice;
  const bytes = messages * bytesOfOne;
  const trips = bytesOfOne >= ANNOUNCED_BYTES ? 1.5 : 0.5;
  return {
    rounds,
    lineMs: (8 * bytes) / (1000 * cluster.megabitsPerSecond),
    systemMs: (bytes * cluster.byteNs) / 1e6,
    processMs: (ranks * slice * cluster.numberNs) / 1e6 + (messages * cluster.messageUs) / 1000,
    arrivalMs: trips * cluster.roundTripMs,
  };
}

/**
 * The time from the last gradient to the sums of all.
 *
 * @example exchangeMs(12_500_000, 2, clusterOf(1)) // 425
 */
export function exchangeMs(parameters: number, ranks: number, cluster: Cluster, most?: number): number {
  if (ranks === 1) return 0;
  const { rounds, lineMs, systemMs, processMs, arrivalMs } = roundOf(parameters, ranks, cluster, most);
  // The bytes of a message are on the line while the system moves others. Sums follow slices.
  const first = Math.max(lineMs, systemMs) + processMs + 2 * arrivalMs;
  return first + (rounds - 1) * Math.max(lineMs, systemMs + processMs, arrivalMs);
}

/** @param partsMs the time in which one process computes all parts of the step */
export function stepMs(partsMs: number, parameters: number, ranks: number, cluster: Cluster): number {
  if (ranks === 1) return partsMs;
  // Each process first sends its losses to all others, in short messages: DataParallel.share.
  const lossesMs = ((ranks - 1) * cluster.messageUs) / 1000 + cluster.roundTripMs / 2;
  return partsMs / ranks + lossesMs + exchangeMs(parameters, ranks, cluster);
}
