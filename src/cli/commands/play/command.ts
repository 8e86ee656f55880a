/** `nopeek play`: serves the page to this machine until a signal ends it. */
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { ASSETS } from "../../../play/assets.ts";
import { EXIT_CODES, SIGNALS, type Signal } from "../../shared/signals.ts";
import { canRedraw } from "../../terminal/colors.ts";
import { Terminal } from "../../terminal/output.ts";
import { checkFiles } from "./check-files.ts";
import { type PlayFlags, USUAL_PORT } from "./flags.ts";
import { listen } from "./listen.ts";
import { openBrowser, openerFor } from "./open-browser.ts";
import { HOST, pageServer } from "./server.ts";

/** The folder of the package. */
const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** @throws DataError if the page is not built, or its port cannot be used */
export async function play({ port: wanted, open, json }: PlayFlags): Promise<void> {
  const terminal = new Terminal();
  checkFiles(ROOT, ASSETS);
  const server = pageServer(ROOT, ASSETS);
  const port = await listen(server, wanted);
  const stopped = nextSignal();
  const address = `http://${HOST}:${port}/`;
  if (wanted === undefined && port !== USUAL_PORT) {
    terminal.note(`port ${USUAL_PORT} is in use, perhaps by another nopeek play; this one uses port ${port}`);
  }
  if (json) terminal.json({ address, port });
  else terminal.line(address);
  terminal.note("Only this machine can open the page, and the page sends nothing anywhere. Ctrl-C ends it.");
  if (open) show(address, terminal);
  const signal = await stopped;
  await close(server);
  process.exitCode = EXIT_CODES[signal];
}

/** Opens a browser, unless there is no person or no screen to open it for. */
function show(address: string, terminal: Terminal): void {
  const opener = canRedraw(process.stderr) ? openerFor(process.platform, process.env) : null;
  if (opener === null) return;
  openBrowser(opener, address, (reason) => {
    terminal.note(`no browser opened (${reason}); open the address yourself`);
  });
}

function nextSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve(signal));
  });
}

/** Ends the connections too, which browsers keep open for later requests. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
