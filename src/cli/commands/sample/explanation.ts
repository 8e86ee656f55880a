/** Formats the steps of `nopeek sample --explain`: as text in 80 columns, and as JSON. */
import type { BeamPath, BeamStep } from "../../../sample/beam-search.ts";
import type { Explanation } from "../../../sample/explain.ts";
import { showToken } from "../../../text/show-token.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { formatCount, plural } from "../../../util/format.ts";

/** The number of tokens in each list. */
export const EXPLAINED_TOKENS = 5;
const COLUMNS = 80;

/** @param heading names the step, such as "step 3 of text 2 of 4" */
export function describeChoice(tokenizer: Tokenizer, heading: string, explanation: Explanation): string {
  const { token, rank, logProbability, candidates, rules } = explanation;
  const show = (id: number) => showToken(tokenizer, id);
  const list = (ids: readonly number[], count: number) =>
    `${ids.map(show).join(" ")}${count > ids.length ? " …" : ""}`;
  const chosen = `${show(token)} chosen, ${ordinal(rank)} by the model, ln p ${logProbability.toFixed(4)}`;
  const lines = candidates.map((candidate) => {
    const { probability, probabilityLeft, droppedBy } = candidate;
    const mark = candidate.token === token ? ">" : " ";
    const left = droppedBy === null ? percent(probabilityLeft) : "–".padStart(9);
    const why = droppedBy === null ? "" : `   dropped by ${droppedBy}`;
    return `  ${mark} ${percent(probability)} ${left}   ${show(candidate.token)}${why}`;
  });
  for (const { rule, value, dropped, bestDropped, changed, bestChanged, left, steppedAside } of rules) {
    const effects: string[] = [];
    if (changed > 0) {
      const which = changed === left ? "" : `: ${list(bestChanged, changed)}`;
      effects.push(`${formatCount(changed)} changed${which}`);
    }
    if (dropped > 0) effects.push(`${formatCount(dropped)} dropped: ${list(bestDropped, dropped)}`);
    if (steppedAside) effects.push("skipped: it would drop every token");
    if (effects.length === 0) effects.push("no effect");
    lines.push(`    ${rule} ${value}: ${formatCount(left)} left; ${effects.join("; ")}`);
  }
  return [`${heading}: ${chosen}`, "        model      left", ...lines].map(clip).join("\n");
}

/** The same as `describeChoice` for a step of a beam search. */
export function describeBeams(tokenizer: Tokenizer, heading: string, step: BeamStep): string {
  const { followed, ended, dropped, compared, forbidden } = step;
  const facts = [
    `${plural(compared, "continuation")} compared`,
    `${formatCount(followed.length)} kept`,
    ...(ended.length > 0 ? [`${formatCount(ended.length)} ended`] : []),
    ...(forbidden > 0 ? [`${formatCount(forbidden)} forbidden`] : []),
  ];
  const line = (mark: string) => (path: BeamPath) => {
    const from = `${path.row + 1}`.padStart(6);
    const text = showEnd(tokenizer.decode(path.tokens));
    const greedy = path.greedy ? "   (greedy choice)" : "";
    return `  ${mark} ${path.total.toFixed(4).padStart(11)} ${from}   ${text}${greedy}`;
  };
  return [
    `${heading}: ${facts.join(", ")}`,
    "           ln p   from",
    ...followed.map(line(">")),
    ...ended.map(line(".")),
    ...dropped.map(line(" ")),
  ]
    .map(clip)
    .join("\n");
}

/** The JSON of a step, with each token's text beside its id. */
export function choiceToJSON(tokenizer: Tokenizer, explanation: Explanation) {
  const text = (token: number) => tokenizer.decode([token]);
  return {
    ...explanation,
    text: text(explanation.token),
    candidates: explanation.candidates.map((candidate) => ({ ...candidate, text: text(candidate.token) })),
  };
}

export function beamsToJSON(tokenizer: Tokenizer, step: BeamStep) {
  const path = ({ tokens, total, greedy, row }: BeamPath) => ({
    tokens,
    text: tokenizer.decode(tokens),
    total,
    greedy,
    from: row,
  });
  return {
    ...step,
    followed: step.followed.map(path),
    ended: step.ended.map(path),
    dropped: step.dropped.map(path),
  };
}

/** "   12.34%" */
function percent(probability: number): string {
  return `${(100 * probability).toFixed(2).padStart(8)}%`;
}

/** "1st", "22nd", "113th" */
function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

/** Returns the end of a text in quotes, short enough for one line. */
function showEnd(text: string): string {
  const room = 36;
  const characters = Array.from(text);
  const newest = characters.slice(-room).join("");
  return JSON.stringify(characters.length > room ? `…${newest}` : newest);
}

function clip(line: string): string {
  const characters = Array.from(line);
  return characters.length <= COLUMNS ? line : `${characters.slice(0, COLUMNS - 1).join("")}…`;
}
