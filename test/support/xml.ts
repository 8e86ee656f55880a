/** XML as a parser that follows the standard reads it. */
import { DOMParser, type Element } from "@xmldom/xmldom";

/** @throws where the text is not well-formed */
export function parseXml(text: string): Element {
  const parser = new DOMParser({
    onError(level, message) {
      // A replacement character is what is put in the place of what XML cannot hold.
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
