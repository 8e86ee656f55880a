/** The processes that train a model together. */
import type { Settings } from "../config/settings.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { DataParallel } from "../distributed/data-parallel.ts";

/** The ranks that share the steps of a run. @throws ConfigError if they cannot; it names what would fit */
export function ranksOf(communicator: Communicator, settings: Settings): DataParallel {
  const { gradAccumulation, batchSize, shardOptimizer, optimizer } = settings;
  // Muon's matrix products take longer than slightly longer messages, and shares have the same bits.
  const sharing = shardOptimizer ? "always" : optimizer === "muon" ? "if even" : "never";
  return new DataParallel(communicator, gradAccumulation, batchSize, sharing);
}
