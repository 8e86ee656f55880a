/** The flag of the commands that several processes can share. */
import { Option } from "commander";

/** @param how the processes share the work of a command */
export function distributedFlag(how: string): Option {
  return new Option(
    "--distributed <how>",
    `what the processes that mpirun or srun starts do: mpi: ${how}, to the same bits; none: each works by itself`,
  )
    .choices(["mpi", "none"])
    .default(undefined, "mpi if there are several");
}
