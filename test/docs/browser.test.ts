/**
 * Runs the worker of docs/browser.md in Chromium, with the built library as it is. Needs Chromium, from the system or
 * CHROME_PATH; without it, the test is skipped.
 */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hasChromium, serve, startChromium } from "../support/browser.ts";
import { readPage, root } from "../support/pages.ts";
import { makeFolder } from "../support/program.ts";

const [worker, page] = [...readPage("docs/browser.md").matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code,
);

it.skipIf(!hasChromium)("the worker of docs/browser.md trains a model that continues its text", async () => {
  const folder = makeFolder();
  symlinkSync(join(root, "dist"), join(folder, "nopeek"));
  writeFileSync(join(folder, "worker.js"), worker);
  writeFileSync(join(folder, "page.js"), page);
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  const server = await serve(folder);
  const browser = await startChromium();
  try {
    const tab = await browser.newPage();
    const logged: string[] = [];
    tab.on("console", (message) => logged.push(message.text()));
    const sample = tab.waitForEvent("console", { predicate: (message) => message.type() === "log" });
    await tab.goto(server.url);
    expect((await sample).text()).toMatch(/^ (sat|and|the|on) /);
    // A browser asks for an icon that is not there.
    expect(logged.filter((text) => !text.includes("404"))).toHaveLength(1);
    expect(server.requests).toContain("/nopeek/backend/wasm/kernels.wasm");
  } finally {
    await browser.close();
    await server.close();
  }
});
