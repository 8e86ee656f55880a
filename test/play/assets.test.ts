/** The list of the page's files is complete: a bundle that is split otherwise would not be served. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ASSETS } from "../../src/play/assets.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("every file of the build is listed once, and every listed file exists", () => {
  const built = readdirSync(`${root}dist/play`).map((name) => `dist/play/${name}`);
  const listed = ASSETS.map(({ file }) => file);
  expect(listed.filter((file) => file.startsWith("dist/play/")).sort()).toEqual(built.sort());
  for (const file of listed) expect(existsSync(root + file), file).toBe(true);
});

test("scripts import only listed files", () => {
  const paths = ASSETS.map(({ path }) => path);
  for (const { file } of ASSETS.filter(({ path }) => path.endsWith(".js"))) {
    const script = readFileSync(root + file, "utf8");
    const imported = [...script.matchAll(/(?:from|import)\s*\(?"\.\/([^"]+)"/g)].map(([, name]) => name);
    expect(paths, file).toEqual(expect.arrayContaining(imported));
  }
});
