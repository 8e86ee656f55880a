/** Parses XML with a standard-conforming parser. */
import { DOMParser, type Element } from "@xmldom/xmldom";

/** @throws if the text is not well-formed */
export function parseXml(text: string): Element {
  const parser = new DOMParser({
    onError(level, message) {
      // Characters that XML cannot represent are replaced by U+FFFD.
      if (level !== "warning" || !message.includes("replacement character")) throw new Error(message);
    },
  });
  const root = parser.parseFromString(text, "text/xml").documentElement;
  if (root === null) throw new Error("there is no element");
  return root;
}

export function elements(root: Element, name: string): Element[] {
  return Array.from(root.getElementsByTagName(name));
}

export function numberOf(element: Element, attribute: string): number {
  return Number(element.getAttribute(attribute));
}
