/** The link holds the settings of the page, and a foreign link cannot break it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MASK_MODES } from "../../../src/play/masks.ts";
import { changesIn, readLink, withoutChanges, writeLink } from "../../../src/play/page/link.ts";
import { RECIPES, SHOWN } from "../../../src/play/settings.ts";

test("a link round-trips", () => {
  const values = fc.dictionary(fc.constantFrom(...SHOWN, "text", "layer"), fc.string({ minLength: 1 }));
  fc.assert(
    fc.property(
      fc.constantFrom(...RECIPES),
      fc.constantFrom(...MASK_MODES),
      values,
      (recipe, mask, given) => {
        const state = { recipe, mask, values: { ...given } };
        expect(readLink(writeLink(state))).toEqual(state);
      },
    ),
  );
});

test("the defaults need no link", () => {
  expect(writeLink({ recipe: "small", mask: "on", values: { steps: "" } })).toBe("");
  expect(readLink("")).toEqual({ recipe: "small", mask: "on", values: {} });
});

test("the settings of training come as numbers, and an empty one is left out", () => {
  expect(changesIn(readLink("#steps=50&seed=7&layers=&text=2"))).toEqual({ steps: 50, seed: 7 });
  expect(changesIn(readLink("#steps=many"))).toEqual({ steps: Number.NaN });
});

test("another recipe drops the changed settings and keeps the values of other sections", () => {
  const link = withoutChanges(readLink("#recipe=tales&mask=off&steps=50&text=Tilda&layers=3&layer=1"));
  expect(link).toEqual({ recipe: "tales", mask: "off", values: { text: "Tilda", layer: "1" } });
});

test("wrong values fall back to the defaults", () => {
  const { recipe, mask } = readLink("#recipe=<b>&mask=never&constructor=1&__proto__=2");
  expect([recipe, mask]).toEqual(["small", "on"]);
});
