/** The page of `nopeek play` in Chromium, from its own server. */
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { HOST, pageServer } from "../../src/cli/commands/play/server.ts";
import { ASSETS } from "../../src/play/assets.ts";
import { startChromium } from "./browser.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a page gets to do something, in milliseconds: a crowded machine is no failure. */
export const PATIENCE_MS = 120_000;

export interface PlayHost {
  readonly browser: Browser;
  /** The address of the page, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the server and Chromium. */
export async function playHost(): Promise<PlayHost> {
  const server = pageServer(root, ASSETS);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await startChromium();
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { browser, url: `http://${HOST}:${port}/`, close };
}

export interface OpenPlay {
  readonly page: Page;
  /** What was thrown or logged as an error in the page; tests expect none. */
  readonly errors: readonly string[];
}

/**
 * Opens the page in a new tab and waits until the engine is ready.
 *
 * @param address a query and a link, such as "?threads=1#steps=20"
 */
export async function openPlay(
  { browser, url }: PlayHost,
  address = "",
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<OpenPlay> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url + address);
  await page.locator("#status", { hasText: "thread" }).waitFor();
  return { page, errors };
}

/** Nothing trains for long, for tests that look at the shipped model. */
export const SHORT = "steps=1&dModel=8&heads=2&contextLength=16&batchSize=2";

/**
 * Opens the page at a section that looks at the shipped model.
 *
 * @param id   of the section
 * @param link values of the section
 */
export async function openAtShipped(
  host: PlayHost,
  id: string,
  link = "",
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<OpenPlay> {
  const opened = await openPlay(host, `#${SHORT}${link === "" ? "" : `&${link}`}`, options);
  const { page } = opened;
  await page.locator("#controls select").selectOption("shipped");
  await page.locator("#train .insight, #train .losses").first().waitFor();
  await showUntil(page.locator(`#${id}`), page.locator(`#${id} .body > *`).first());
  return opened;
}

/** `expect.poll` for as long as a crowded machine may need. */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: PATIENCE_MS });

/**
 * Scrolls to a part of the page until something is there. A section computes only while it can be seen, and the sections
 * above it still grow, so one scroll may not be enough.
 */
export async function showUntil(part: Locator, ready: Locator): Promise<void> {
  const isReady = async () => {
    await part.evaluate((element) => element.scrollIntoView());
    return ready.isVisible();
  };
  await eventually(isReady).toBe(true);
}

/** The accessibility problems of an element, and how far the page overflows its width. */
export async function problemsOf(page: Page, selector: string): Promise<string[]> {
  await page.evaluate(axe.source);
  const found: string[] = await page.evaluate(
    `axe.run("${selector}").then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`,
  );
  const overflow = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
  return overflow > 0 ? [...found, `the page is ${overflow} pixels too wide`] : found;
}
