/** Flags of `nopeek play`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseNumber } from "../../options/settings-flags.ts";

/** "nope" on the keys of a telephone. A fixed port keeps the address, and what a browser stores for it. */
export const USUAL_PORT = 6673;
const LARGEST_PORT = 65_535;

export interface PlayFlags {
  readonly port?: number;
  /** False with `--no-open`. */
  readonly open: boolean;
  readonly json?: boolean;
}

export function addPlayFlags(command: Command): void {
  command
    .addOption(
      new Option("--port <number>", "serve the page on this port; 0 chooses a free one")
        .argParser(parsePort)
        .default(undefined, `${USUAL_PORT}, or a free one if that is in use`),
    )
    .option("--no-open", "print the address and open no browser")
    .option("--json", "print the address and the port as JSON on stdout");
}

function parsePort(text: string): number {
  const port = parseNumber(text);
  if (!Number.isInteger(port) || port < 0 || port > LARGEST_PORT) {
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${LARGEST_PORT}.`);
  }
  return port;
}
