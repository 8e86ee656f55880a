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

test("the group engine is what the engine imports before it answers", () => {
  const importedBy = (name: string): string[] => {
    const script = readFileSync(`${root}dist/play/${name}`, "utf8");
    return [...script.matchAll(/from\s*"\.\/([^"]+)"/g)].map(([, imported]) => imported);
  };
  const needed = new Set(["engine.js"]);
  for (const name of needed) for (const imported of importedBy(name)) needed.add(imported);
  const listed = ASSETS.filter(({ group }) => group === "engine").map(({ path }) => path);
  expect(listed.sort()).toEqual([...needed, "thread.js"].sort());
});

test("scripts import only listed files", () => {
  const paths = ASSETS.map(({ path }) => path);
  for (const { file } of ASSETS.filter(({ path }) => path.endsWith(".js"))) {
    const script = readFileSync(root + file, "utf8");
    const imported = [...script.matchAll(/(?:from|import)\s*\(?"\.\/([^"]+)"/g)].map(([, name]) => name);
    expect(paths, file).toEqual(expect.arrayContaining(imported));
  }
});
