import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingsType } from "../../scripts/settings-type.ts";
import { SETTING_HELP } from "../../src/config/setting-help.ts";
import { SETTINGS } from "../../src/config/settings.ts";

const file = new URL("../../src/config/settings-type.ts", import.meta.url);

test("the generated type is current: npx tsx scripts/settings-type.ts", () => {
  expect(readFileSync(file, "utf8")).toBe(settingsType());
});

test("it documents each setting with its help", () => {
  const plain = settingsType().replace(/\n +\* /g, " ");
  for (const { name } of SETTINGS) {
    const { help } = SETTING_HELP[name];
    const comment = new RegExp(`/\\*\\*([^/]|(?<!\\*)/)*\\*/\\s+readonly ${name}:`).exec(plain)?.[0] ?? "";
    expect(comment, name).toContain(help.slice(1));
  }
});
