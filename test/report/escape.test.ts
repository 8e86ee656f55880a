import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeXml, scriptJson } from "../../src/report/escape.ts";
import { parseXml } from "../support/xml.ts";
import { HOSTILE } from "./example-runs.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constant(HOSTILE),
);
/** Includes lone surrogates, which `fc.string` never generates. */
const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 9 });

/** An independent implementation of production [2] Char of XML 1.0. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x9 || code === 0xa || code === 0xd) return true;
  return (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

function expectRoundTrip(text: string): void {
  const element = parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
  const kept = Array.from(text, (character) => (isXmlCharacter(character) ? character : "\ufffd")).join("");
  // XML normalizes line breaks. This parser also normalizes those of XML 1.1.
  expect(element.textContent).toBe(kept.replace(/\r[\n\u0085]|[\r\u0085\u2028\u2029]/g, "\n"));
  expect(element.childNodes.length).toBe(text === "" ? 0 : 1);
  expect(element.attributes.length).toBe(1);
}

it("any text survives an XML parser and adds no element or attribute", () => {
  fc.assert(fc.property(anyText, expectRoundTrip));
  for (const sign of ["\u0085", "\r\u0085", "\u2028", "\u2029", "\r\n", "\u009f"])
    expectRoundTrip(`a${sign}b`);
  fc.assert(fc.property(units, (codes) => expectRoundTrip(String.fromCharCode(...codes))));
});

it("JSON in a script element survives and cannot end the element", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const json = scriptJson({ text });
      expect(JSON.parse(json)).toEqual({ text });
      expect(json).not.toMatch(/[<\u2028\u2029]/);
    }),
  );
});
