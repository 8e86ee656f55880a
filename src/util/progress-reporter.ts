/** Receives the progress of work that may take a while. */
export interface ProgressReporter {
  /** Prints a line that stays. */
  readonly note: (line: string) => void;
  /** Shows a line that the next one replaces; "" clears it. */
  readonly status: (line: string) => void;
}
