/**
 * JSON in which a whole number may be written as a float, 5.0: transformers checks that a field of a config which is a
 * float in Python is one in the file too, and JSON.stringify drops the ".0".
 */

/** A number that is written with a decimal point or an exponent. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type Json =
  | string
  | number
  | boolean
  | null
  | Float
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * A value as indented JSON, with a line feed at its end. Undefined fields are left out.
 *
 * @example encodeWithFloats({ cap: new Float(5) }) // the bytes of '{\n  "cap": 5.0\n}\n'
 */
export function encodeWithFloats(value: Json): Uint8Array {
  return new TextEncoder().encode(`${written(value, "\n")}\n`);
}

/** @param newLine a line feed and the indentation of the line that the value starts on */
function written(value: Json, newLine: string): string {
  if (value instanceof Float) return float(value.value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${newLine}  `;
  if (isList(value)) {
    return value.length === 0
      ? "[]"
      : `[${inner}${value.map((each) => written(each, inner)).join(`,${inner}`)}${newLine}]`;
  }
  const fields = Object.entries(value).flatMap(([key, field]) => {
    return field === undefined ? [] : [`${JSON.stringify(key)}: ${written(field, inner)}`];
  });
  return fields.length === 0 ? "{}" : `{${inner}${fields.join(`,${inner}`)}${newLine}}`;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function float(value: number): string {
  const text = JSON.stringify(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
