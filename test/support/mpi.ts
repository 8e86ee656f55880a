/** Starts the program on several processes, with each MPI that this machine has. */
import type { Mpi } from "./mpi-launchers.ts";
import { MAIN, Program } from "./program.ts";

/**
 * Starts `nopeek` on processes: one for each list of arguments.
 *
 * @param folders the working folders of the processes, if they differ
 */
export function startProcesses(
  { launcher, words }: Mpi,
  folder: string,
  processes: readonly (readonly (string | number)[])[],
  folders: readonly string[] = [],
): Program {
  const commands = processes.flatMap((given, i) => [
    ...(i === 0 ? [] : [":"]),
    ...(i < folders.length ? ["-wdir", folders[i]] : []),
    ...["-n", "1", process.execPath, MAIN],
    ...given.map(String),
  ]);
  return new Program(launcher, [...words, ...commands], folder);
}
