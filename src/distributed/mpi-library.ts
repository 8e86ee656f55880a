/**
 * The functions of an MPI library that are used here, called through koffi. Libraries differ in what a handle is:
 *
 *   standard ABI   an integer as wide as a pointer; MPI 5, libmpi_abi
 *   Open MPI       the address of a variable that the library exports; up to version 5
 *   MPICH, Intel   an int
 *
 * Sources: MPI 5.0, chapter 20; mpi.h of Open MPI 4.1 and of MPICH 4.0.
 */
import type { CLibrary } from "koffi";
import { NopeekError } from "../errors.ts";

/** A function of the library; pointers are addresses. The result is 0, because the library ends the run on errors. */
type Call = (...args: (number | bigint)[]) => unknown;

export interface MpiLibrary {
  /** The name or path by which it was found. */
  readonly file: string;
  /** What it says about itself: "Open MPI v4.1.4". */
  readonly title: string;
  /** Handles of all processes, and of bytes. */
  readonly world: number | bigint;
  readonly byte: number | bigint;
  readonly init: Call;
  readonly finalize: Call;
  readonly abort: Call;
  readonly rank: Call;
  readonly size: Call;
  readonly exchange: Call;
  readonly gather: Call;
  readonly broadcast: Call;
  readonly test: Call;
  /** The address of numbers in memory. */
  address(numbers: ArrayBufferView): bigint;
}

/** How a library represents handles. */
interface Abi {
  readonly handle: "uintptr_t" | "int";
  readonly world: number | bigint;
  readonly byte: number | bigint;
}

const pointer = "uintptr_t";
/** MPI_MAX_LIBRARY_VERSION_STRING is 8192 at most. */
const MOST_TITLE_BYTES = 8192;

/**
 * Opens the first library among `files` that exists.
 *
 * @param files names that the system's loader knows, or paths
 * @throws NopeekError if koffi is not installed, or there is no library
 */
export async function openMpiLibrary(files: readonly string[]): Promise<MpiLibrary> {
  const { koffi, reason } = await loadKoffi();
  if (koffi === null)
    throw new NopeekError(
      `several processes: the package koffi, which calls the MPI library, does not load (${reason}): install it with "npm install koffi"`,
    );
  const reasons: string[] = [];
  for (const file of files) {
    let library: CLibrary;
    try {
      library = koffi.load(file);
    } catch (error) {
      reasons.push(`${file}: ${firstLineOf(error)}`);
      continue;
    }
    return functionsOf(file, library, koffi.address);
  }
  throw new NopeekError(
    `several processes: no MPI library was found; tried ${files.join(", ")}. Install the one that starts the processes (on Debian or Ubuntu: apt-get install openmpi-bin), or name its file in NOPEEK_MPI\n${reasons.join("\n")}`,
  );
}

async function loadKoffi() {
  try {
    return { koffi: (await import("koffi")).default, reason: "" };
  } catch (error) {
    return { koffi: null, reason: firstLineOf(error) };
  }
}

function functionsOf(
  file: string,
  library: CLibrary,
  address: (numbers: ArrayBufferView) => bigint,
): MpiLibrary {
  const find = (name: string, args: readonly string[]): Call => library.func(name, "int", args);
  const { handle, world, byte } = abiOf(library, address);
  const block = [pointer, "int", handle];
  const text = new Uint8Array(new ArrayBuffer(MOST_TITLE_BYTES));
  find("MPI_Get_library_version", [pointer, pointer])(address(text), address(integer()));
  return {
    ...{ file, title: titleOf(text), world, byte, address },
    init: find("MPI_Init", [pointer, pointer]),
    finalize: find("MPI_Finalize", []),
    abort: find("MPI_Abort", [handle, "int"]),
    rank: find("MPI_Comm_rank", [handle, pointer]),
    size: find("MPI_Comm_size", [handle, pointer]),
    // The numbers to send, where others arrive, all processes, the request.
    exchange: find("MPI_Ialltoall", [...block, ...block, handle, pointer]),
    gather: find("MPI_Iallgather", [...block, ...block, handle, pointer]),
    broadcast: find("MPI_Ibcast", [...block, "int", handle, pointer]),
    test: find("MPI_Test", [pointer, pointer, pointer]),
  };
}

function abiOf(library: CLibrary, address: (numbers: ArrayBufferView) => bigint): Abi {
  const world = symbolOf(library, "ompi_mpi_comm_world");
  const byte = symbolOf(library, "ompi_mpi_byte");
  if (world !== null && byte !== null) return { handle: pointer, world, byte };
  if (hasStandardAbi(library, address)) return { handle: pointer, world: 0x101, byte: 0x247 };
  return { handle: "int", world: 0x44000000, byte: 0x4c00010d };
}

/** A library with another ABI says version −1, or has no such function. */
function hasStandardAbi(library: CLibrary, address: (numbers: ArrayBufferView) => bigint): boolean {
  const [major, minor] = [integer(), integer()];
  try {
    library.func("MPI_Abi_get_version", "int", [pointer, pointer])(address(major), address(minor));
  } catch {
    return false;
  }
  return major[0] >= 1;
}

function symbolOf(library: CLibrary, name: string): bigint | null {
  try {
    return library.symbol(name);
  } catch {
    return null;
  }
}

/** An int that a library can write: a small array does not move if its buffer is separate. */
export function integer(): Int32Array {
  return new Int32Array(new ArrayBuffer(4));
}

/** "Open MPI v4.1.4" of "Open MPI v4.1.4, package: Debian OpenMPI, …"; "MPICH 4.0.2" of "MPICH Version:  4.0.2\n…". */
function titleOf(text: Uint8Array): string {
  const [line] = new TextDecoder().decode(text.subarray(0, text.indexOf(0))).split("\n");
  return line.replace(/,.*/, "").replace(/ *Version:\s*/, " ");
}

function firstLineOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0];
}
