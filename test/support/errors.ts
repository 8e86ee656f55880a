/** Checks the type and the message of an error. */
import { expect } from "vitest";

/** Returns a function that runs `run`, expects an error of type `kind`, and returns its message. */
export function messageOfA(kind: new (message: string) => Error): (run: () => unknown) => string {
  return (run) => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(kind);
      if (error instanceof kind) return error.message;
    }
    throw new Error("nothing was thrown");
  };
}
