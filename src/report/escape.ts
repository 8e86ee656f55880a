/** Words of others put into a page, a picture or a terminal: shown as they are, and never obeyed. */

/** What XML 1.0 cannot hold at all, not even escaped: control characters, halves of pairs, U+FFFE and U+FFFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
/** What a terminal may obey, and what turns the direction of the text behind it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_SHOWN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as the content of an element or between the quotes of an attribute, in SVG and HTML. */
export function escapeXml(text: string): string {
  return text.replace(NOT_XML, "\ufffd").replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
}

/** A value as JSON that can stand in a script element: no part of it can end the element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A name for a line of a terminal. */
export function escapeLine(text: string): string {
  return text.replace(NOT_SHOWN, "\ufffd");
}
