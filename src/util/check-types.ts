/**
 * Checks of what TypeScript already refuses, for callers that write JavaScript: each is a line at the start of a public
 * function. Ranges and sizes are checked where they matter.
 */
import { ArgumentError, ConfigError } from "../errors.ts";
import { nearest } from "./edit-distance.ts";

const kinds = {
  string: ["a string", (value: unknown) => typeof value === "string"],
  number: ["a number", (value: unknown) => typeof value === "number"],
  boolean: ["true or false", (value: unknown) => typeof value === "boolean"],
  function: ["a function", (value: unknown) => typeof value === "function"],
  object: [
    "an object",
    (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value),
  ],
  array: ["an array", Array.isArray],
  numbers: ["an array of numbers", isNumbers],
} as const satisfies Readonly<Record<string, readonly [string, (value: unknown) => boolean]>>;

type Kind = keyof typeof kinds;

/** A kind of value, with "?" also undefined and null; or the members that an object must have. */
export type Expected = Kind | `${Kind}?` | readonly string[];

/** By kind, with and without "?": a look-up, because ops check their arguments too. */
const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries(kinds).flatMap(([kind, [wanted, accepts]]): [string, Rule][] => [
    [kind, { wanted, accepts, optional: false }],
    [`${kind}?`, { wanted, accepts, optional: true }],
  ]),
);

interface Rule {
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
  readonly optional: boolean;
}

/**
 * @param where the function, for the message
 * @throws ArgumentError for the first value of another type
 * @example checkTypes("trainGPT", { text, options }, { text: "string", options: "object?" });
 */
export function checkTypes<Name extends string>(
  where: string,
  values: Readonly<Record<NoInfer<Name>, unknown>>,
  expected: Readonly<Record<Name, Expected>>,
): void {
  for (const name in expected) {
    const wanted = demandOf(values[name], expected[name]);
    if (wanted !== null) {
      throw new ArgumentError(`${where}: \`${name}\` must be ${wanted}: got ${describeValue(values[name])}`);
    }
  }
}

/**
 * @throws ConfigError unless `value` is one of `choices`, suggesting the nearest
 * @example checkChoice("strategy", settings.strategy, ["sample", "greedy"]);
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (typeof value === "string" && choices.includes(value)) return;
  const hint = typeof value === "string" ? `; did you mean "${nearest(value, choices)}"?` : "";
  throw new ConfigError(`\`${name}\` must be ${choices.join(" or ")}: got ${describeValue(value)}${hint}`);
}

/** `null`, `"text"`, `3`, `an object`: a value of any type in a message. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** What the value should be, or null if it is. */
function demandOf(value: unknown, expected: Expected): string | null {
  if (typeof expected !== "string") {
    return hasMembers(value, expected) ? null : `an object with ${expected.join(" and ")}`;
  }
  const rule = rules.get(expected);
  if (rule === undefined || (rule.optional && (value === undefined || value === null))) return null;
  return rule.accepts(value) ? null : rule.wanted;
}

function hasMembers(value: unknown, members: readonly string[]): boolean {
  return typeof value === "object" && value !== null && members.every((member) => member in value);
}

/** A typed array, or an array-like whose elements are all numbers. */
function isNumbers(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView);
  return Array.isArray(value) && value.every((element) => typeof element === "number");
}
