/** What a test asks of an error: its kind, and what it tells. */
import { expect } from "vitest";

/** Gives the message of the error that `run` throws, which is to be one of this kind. */
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
