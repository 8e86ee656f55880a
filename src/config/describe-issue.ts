/** Turns an issue found by the validator into a sentence about a setting. */
import type * as z from "zod/mini";
import { nearest } from "../util/edit-distance.ts";

/**
 * The sentence for one invalid setting: its name, what it must be, and what it is.
 *
 * @param input the given settings by name
 * @param names all settings, to suggest the nearest one for an unknown name
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  input: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .map((key) => `there is no setting "${key}"; did you mean "${nearest(key, names)}"?`)
      .join("\n");
  }
  const name = String(issue.path[0]);
  return `\`${name}\` ${demandOf(issue)}: got ${JSON.stringify(input[name])}${hint(issue, input[name])}`;
}

/** A suggestion for a misspelled value. */
function hint(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code !== "invalid_value" || typeof given !== "string") return "";
  return `; did you mean "${nearest(given, issue.values.map(String))}"?`;
}

/** Describes the valid values. */
function demandOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_value":
      return `must be ${issue.values.join(" or ")}`;
    case "invalid_type":
      return issue.expected === "int" ? "must be a whole number" : `must be a ${issue.expected}`;
    default:
      return issue.message;
  }
}
