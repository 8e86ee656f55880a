/** The browsers of this machine, and how to open a page in each without a window. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findChromium } from "../../../test/support/chromium.ts";

export interface InstalledBrowser {
  readonly name: "Chromium" | "Firefox";
  readonly path: string;
  /**
   * The words of the command line.
   *
   * @param profile an empty folder for what the browser stores
   */
  words(url: string, profile: string): readonly string[];
}

/** Chromium and Firefox, as far as they are installed. CHROME_PATH and FIREFOX_PATH can name one. */
export function installedBrowsers(): InstalledBrowser[] {
  const found: InstalledBrowser[] = [];
  const chromium = findChromium();
  if (chromium !== null) {
    // Its sandbox does not work as root, as in a container.
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const words = (url: string, profile: string) => [
      "--headless",
      "--no-first-run",
      `--user-data-dir=${profile}`,
      // It would otherwise close when the page has loaded.
      "--remote-debugging-port=0",
      ...sandbox,
      url,
    ];
    found.push({ name: "Chromium", path: chromium, words });
  }
  const firefox = process.env.FIREFOX_PATH ?? inPath("firefox-esr") ?? inPath("firefox");
  if (firefox !== null) {
    const words = (url: string, profile: string) => ["--headless", "--no-remote", "--profile", profile, url];
    found.push({ name: "Firefox", path: firefox, words });
  }
  return found;
}

function inPath(name: string): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
