/** Commands whose work several processes cannot share. */
import { printMessage } from "../../terminal/output.ts";
import { type Environment, isOneOfSeveral, rankOf } from "./launcher.ts";

/**
 * Ends this process unless it is number 0, which says that it works alone: several would print and write the same, over
 * each other.
 */
export function workAlone(command: string, env: Environment = process.env): void {
  if (!isOneOfSeveral(env)) return;
  if (rankOf(env) > 0) process.exit(0);
  printMessage(
    `nopeek ${command} works on one process, so the others end; with NOPEEK_MPI=none each does all the work`,
  );
}
