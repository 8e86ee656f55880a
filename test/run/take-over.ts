/** A process that takes the locks of a dead host, at the same moments as another one (lease.test.ts). */
import { CheckpointError } from "../../src/errors.ts";
import { RunLock } from "../../src/run/lock.ts";
import { nodeFiles } from "../../src/run/node-files.ts";

const [machine] = process.argv.slice(2);
const self = { pid: 1, started: "0", machine, boot: `boot of ${machine}` };

process.on("message", (run: string) => {
  try {
    RunLock.take(run, { self, isAlive: (owner) => owner.machine !== "a" }, nodeFiles);
    process.send?.(true);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    process.send?.(false);
  }
});
process.send?.("ready");
