/** Section 8 in Chromium: texts and runs in and out, by buttons and by dropping, and what a reload continues. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import type { FileChooser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunDirectory } from "../../../src/run/on-disk.ts";
import { hasChromium } from "../../support/browser.ts";
import { openPlay, type PlayHost, playHost } from "../../support/play-page.ts";
import { makeFolder, START_MS, succeed } from "../../support/program.ts";

const QUICK = "layers=1&heads=2&dModel=16&contextLength=8&batchSize=3";
const STEPS = 60;
const HOSTILE = "<img src=x onerror=alert(1)>\u202e.txt";
const VERSE = "Rosen & Tulpen, <b>Nelken</b>,\n".repeat(40);

const folder = makeFolder();
let host: PlayHost;
beforeAll(async () => {
  if (!hasChromium) return;
  host = await playHost();
  writeFileSync(join(folder, "text.txt"), VERSE);
  const flags = `--layers 1 --heads 2 --d-model 16 --context-length 8 --batch-size 3 --dropout 0.1 --steps ${STEPS}`;
  await succeed(
    folder,
    "train",
    "--data",
    "text.txt",
    ...flags.split(" "),
    "--checkpoint-interval",
    20,
    "--out",
    "whole",
  );
  // What the folder held after 20 steps.
  cpSync(join(folder, "whole"), join(folder, "cut"), { recursive: true });
  const cut = RunDirectory.open(join(folder, "cut"));
  for (const step of cut.steps().slice(1)) rmSync(join(cut.path, step), { recursive: true });
  for (const pointer of ["latest", "best"]) writeFileSync(join(cut.path, pointer), "step-000020\n");
}, START_MS);
afterAll(async () => {
  if (hasChromium) await host.close();
});

const section = (page: Page) => page.locator("#yours");
const message = (page: Page) => section(page).locator("[role=status]");
const refusal = (page: Page) => section(page).locator("[role=alert]");

async function choose(page: Page, button: string, files: Parameters<FileChooser["setFiles"]>[0]) {
  const chooser = page.waitForEvent("filechooser");
  await section(page).getByRole("button", { name: button }).click();
  await (await chooser).setFiles(files);
}

const file = (name: string, content: string | Buffer) => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.from(content),
});

async function download(page: Page): Promise<Uint8Array> {
  const event = page.waitForEvent("download");
  await section(page).getByRole("button", { name: "Save this run" }).click();
  return readFileSync(await (await event).path());
}

function weightsOf(run: string): string[] {
  const step = `step-${String(STEPS).padStart(6, "0")}`;
  const { files } = JSON.parse(readFileSync(join(folder, run, step, "state.json"), "utf8"));
  return [files["model.safetensors"], files["optimizer.safetensors"]];
}

describe.skipIf(!hasChromium)("section 8", () => {
  test("a run of the command line is chosen, continues here, and is saved with the bits of the command line", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=5`);
    await choose(page, "Choose a run folder", join(folder, "cut"));
    await message(page).getByText("cut is whole, at step 20 of 60. Its text is not here").waitFor();
    await choose(page, "Choose a text or a .zip", join(folder, "text.txt"));
    await message(page).getByText("cut was checked and continues at step 20 of 60.").waitFor();
    await page
      .locator("#train")
      .getByText(/step 60 of 60 /)
      .waitFor();
    const zip = await download(page);
    for (const [path, bytes] of Object.entries(unzipSync(zip))) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    expect(weightsOf("text-step-000060")).toEqual(weightsOf("whole"));
    await expect(section(page).locator(".note pre").textContent()).resolves.toBe(
      "npx nopeek train --resume --out text-step-000060 --data text.txt",
    );
    // The same zip file comes back in.
    await choose(page, "Choose a text or a .zip", file("saved.zip", Buffer.from(zip)));
    await message(page).getByText("text-step-000060 was checked. It has made its 60 steps").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a dropped text trains; names and contents stay text", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=40`);
    // A real drop event: what Chromium hands to the page, without a hand.
    await page.evaluate(`{
      const transfer = new DataTransfer();
      transfer.items.add(new File([${JSON.stringify(VERSE)}], ${JSON.stringify(HOSTILE)}));
      for (const name of ["dragover", "drop"])
        window.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, cancelable: true }));
    }`);
    await message(page).getByText("A new run trains on <img src=x onerror=alert(1)>\ufffd.txt.").waitFor();
    await page
      .locator("#train")
      .getByText(/step 40 of 40 /)
      .waitFor();
    expect(await section(page).locator(".name").textContent()).toBe("<img src=x onerror=alert(1)>\ufffd.txt");
    expect(page.url()).not.toContain("Rosen");
    expect(await page.locator("img, #train b, #yours .dropping").count()).toBe(0);
    await section(page).getByRole("button", { name: "Back to the tales" }).click();
    await message(page).getByText("A new run trains on the tales.").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a pasted text trains; what cannot be used is refused in a sentence, and training continues", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=3000`);
    for (const [bad, sentence] of [
      [file("empty.txt", ""), "empty.txt: is empty"],
      [file("one.txt", "a"), "one.txt: has 1 character"],
      [file("picture.png", Buffer.from([137, 80, 78, 71, 0])), "it is a binary file"],
      [file("large.txt", "x".repeat(20_000_001)), "a text here may have at most 20 MB"],
      [file("run.zip", "PK nothing"), "is a damaged zip file"],
    ] as const) {
      await choose(page, "Choose a text or a .zip", bad);
      await refusal(page).getByText(sentence).waitFor();
    }
    await page
      .locator("#train")
      .getByText(/step [\d,]+ of 3,000 /)
      .waitFor();
    await section(page).getByText("Paste a text").click();
    await section(page).getByLabel("Text to train on").fill(VERSE);
    await section(page).getByRole("button", { name: "Train on this text" }).click();
    await message(page).getByText("A new run trains on pasted-text.txt.").waitFor();
    expect(await refusal(page).count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a reload offers to continue, and the run continues where it was kept", async () => {
    const context = await host.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${host.url}#${QUICK}&steps=500`);
    await page
      .locator("#train")
      .getByText(/step 500 of 500 /)
      .waitFor();
    // It stops when the run is kept.
    await page.locator("#train button.main", { hasText: "Train" }).waitFor();
    const run = page.locator("#train .kept");
    expect(await run.count()).toBe(0);
    await page.goto(`${host.url}?again#${QUICK}&steps=7`);
    const proceed = run.getByRole("button", { name: "Continue at step 500 of 500" });
    await proceed.waitFor();
    await page
      .locator("#train")
      .getByText(/step 7 of 7 /)
      .waitFor();
    await proceed.click();
    await page
      .locator("#train")
      .getByText(/step 500 of 500 /)
      .waitFor();
    expect(await page.locator("#loss-description").textContent()).toContain("at step 500");
    await run.getByRole("button", { name: "Forget it" }).click();
    await run.waitFor({ state: "detached" });
    await context.close();
  });

  test("both runs start and stop", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=3`);
    const compare = page.locator("#compare");
    await compare.getByRole("button", { name: "Run both" }).click();
    await compare.getByText(/step \d+ of 1,200/).waitFor();
    await compare.getByRole("button", { name: "Stop" }).click();
    await compare.getByRole("button", { name: "Run both" }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});
