/**
 * The signals that end the program, and the exit codes that they lead to by convention. Batch systems send SIGUSR1 some
 * time before they end a job.
 */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR1: 138 } as const;
export type Signal = keyof typeof EXIT_CODES;
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const satisfies readonly Signal[];
