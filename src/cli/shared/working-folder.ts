/** Checks the current folder of the program. */
import { DataError } from "../../errors.ts";
import { errorCode } from "../../util/failure-reason.ts";

/** @throws DataError if the current folder was deleted: no folder can be made in it, and no thread starts there */
export function checkWorkingFolder(): void {
  try {
    process.cwd();
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    throw new DataError(
      "the current folder was deleted; change to another one, such as the home folder: cd",
      {
        cause,
      },
    );
  }
}
