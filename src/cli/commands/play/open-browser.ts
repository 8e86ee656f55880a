/** Opens an address in the browser of the person at this machine. */
import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

/** The program that opens an address, and its arguments before the address. */
export type Opener = readonly [program: string, ...words: readonly string[]];

/**
 * How to open a browser on this system; null if there is no screen to show it on.
 *
 * @example
 * openerFor("darwin", {}); // ["open"]
 */
export function openerFor(
  platform: string,
  { DISPLAY, WAYLAND_DISPLAY, BROWSER }: Environment,
): Opener | null {
  if (BROWSER === "none") return null;
  if (platform === "darwin") return ["open"];
  // The empty word is the title of the window: `start` takes a first quoted word for it.
  if (platform === "win32") return ["cmd", "/c", "start", ""];
  return DISPLAY || WAYLAND_DISPLAY ? ["xdg-open"] : null;
}

/**
 * Starts the opener, which may outlive this program.
 *
 * @param failed called with the reason if it does not start or ends with an error
 */
export function openBrowser(
  [program, ...words]: Opener,
  address: string,
  failed: (reason: string) => void,
): void {
  const child = spawn(program, [...words, address], { detached: true, stdio: "ignore", windowsHide: true });
  child.on("error", ({ message }) => failed(message));
  child.on("exit", (code) => {
    if (code !== 0) failed(`${program} ended with ${code ?? "a signal"}`);
  });
  child.unref();
}
