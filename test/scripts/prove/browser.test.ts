/** A small version of `npm run prove` in browsers. Needs Chromium or Firefox; without both, it is skipped. */
import { expect, it } from "vitest";
import { installedBrowsers } from "../../../scripts/prove/browser/installed.ts";
import { proveBrowsers } from "../../../scripts/prove/browser/prove.ts";
import { makeFolder } from "../../support/program.ts";

const browsers = installedBrowsers();

it.skipIf(browsers.length === 0)(
  "each installed browser computes the checkpoint of the command line",
  async () => {
    const proven = await proveBrowsers({ steps: 5, folder: makeFolder(), browsers, timeoutMs: 200_000 });
    expect(proven).toEqual(browsers.map(({ name }) => ({ name, threads: 2 })));
  },
  300_000,
);
