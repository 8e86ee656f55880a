/** A process that takes the locks of a dead host, at the same moments as another one (lease.test.ts). */
import { RunLock } from "../../src/run/lock.ts";
import { nodeFiles } from "../../src/run/node-files.ts";
import { attempt } from "./attempt.ts";

const [machine] = process.argv.slice(2);
const self = { pid: 1, started: "0", machine, boot: `boot of ${machine}` };

process.on("message", (run: string) => {
  const isAlive = ({ machine }: { readonly machine: string }) => machine !== "a";
  process.send?.(attempt(() => RunLock.take(run, { self, isAlive }, nodeFiles)) !== null);
});
process.send?.("ready");
