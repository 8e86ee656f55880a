/**
 * The word list: private terms, tics and British spellings that readers of this project should not meet, each with a
 * replacement. `findingsIn` applies it to the prose of a file: Markdown text, comments, strings and test names.
 *
 * To check a folder by hand: npx tsx scripts/prose.ts src/nn
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "./pages.ts";

/** A pattern, in which a space matches any white space, and what to write instead. */
type Rule = readonly [pattern: string, instead: string];

/** Phrases that a colleague would not say. */
export const TICS: readonly Rule[] = [
  ["to be had", "available"],
  ["heed(?:s|ed|ing)?", "follow, apply or honor"],
  ["(?:is|are|was|were|be|been) told", "receives, is given, or the active verb"],
  ["unless told otherwise", "by default"],
  ["tells?(?! \\w+ apart)|telling", "print, report or show"],
  ["(?:go|goes|going|went|gone) on", "continue"],
  ["so many", "the number itself, or N"],
  ["as many as", "the number of"],
  ["who has|who(?:m|so)?ever", "name the subject"],
  ["nobody|somebody|everybody|anybody", "name the subject: no reader, another process, every position"],
  ["stands?(?! for\\b| in for\\b|-in\\b)|stood|standing", "is, lies, or name the place"],
  ["of late", "recently"],
  ["by heart", "memorize"],
  ["what (?:is|was) held out", "the validation set"],
  ["learn(?:s|ed|ing)? on", "train on, or fine-tune"],
  ["no word of", "nothing about"],
  ["look(?:s|ed|ing)? at nothing", "ignores"],
  ["in force", "effective, current"],
  ["sees? to (?:it|that)|(?:must|to|will|should|who) see to|seen to", "ensure"],
  ["noted|noting", "capture or record"],
  ["without a word|a word (?:about|from|to)", "message"],
  ["of (?:its|their|his|her|our|your|one's) own", "drop it, or: separate, private"],
  ["(?:null|undefined) where", "null if"],
  ["where (?:that|this|it) is so", "if so"],
  ["(?:where|if) there (?:is|are) such|such(?= ?[.,;:)])", "one, any, or repeat the noun"],
  ["be it", "whether"],
  ["(?:for )?ever", "drop it; forever is one word"],
  ["of one kind", "of the same type"],
  ["what (?:is|was) (?:no|there|said|asked|kept|shown|meant|learn(?:ed|t)|wanted)\\b", "a noun"],
  ["takes (?:any|every)", "accepts"],
  ["hand(?:s|ed|ing)? on", "pass"],
  ["hinders?", "blocks"],
  ["mend(?:s|ed)?", "fix"],
  ["dice", "random seed"],
  ["(?:this|the|each|other) rooms?(?! for\\b| to\\b| left\\b| in\\b)|attics?", "layer, folder"],
  ["words? of (?:this|the) (?:room|house)|rules of the house", "terms, rules"],
  ["teeth", "negative controls"],
  ["staircases?", "causal"],
  ["sinks?", "write target"],
  ["moved on by", "shifted by"],
  ["turned round|turns? (?:strings? )?round", "reverse"],
  ["(?:the|their|its) like", "similar"],
  ["at hand", "available"],
  ["in words", "as text"],
  ["again and again", "repeatedly"],
  ["as ever", "as before"],
  ["enters? (?:and|or) leaves?|enters?[;:].{0,80}\\bleaves?", "Input: …; output: …"],
];

/** British spellings; each pattern is the beginning of a word. */
export const BRITISH: readonly Rule[] = [
  ["(?:colou|behaviou|favou|honou|neighbou|flavou|labou|armou|humou|rumou)r\\w*", "-or-"],
  [
    "(?:normal|initial|optim|token|orthogonal|summar|organ|recogn|minim|maxim|general|random|serial|vector|parallel|quant|real|util|visual|custom|special|memor|final|local|synchron|capital|character|equal|factor|item|linear|modern|penal|stabil|standard|symbol|emphas|categor|regular)is(?:e|ed|es|er|ers|ing|ation|ations|able)",
    "-ize",
  ],
  ["analys(?:e|ed|es|ing)", "analyze"],
  ["learnt|spelt|spoilt|burnt|dreamt|leapt", "learned, spelled, spoiled"],
  ["(?:modell|labell|cancell|travell|signall|channell|levell|tunnell)(?:ed|ing|er)", "one l"],
  ["(?:cent|fib|calib|theat)re|metres?|kilometres?|litres?", "-er"],
  ["grey|catalogue|licence|defence|offence|artefacts?|judgement|programmes?|cheque", "American spelling"],
  ["towards|afterwards|whilst|amongst|per cent", "toward, afterward, while, among, percent"],
];

/** Doc comments that name their result this way. */
const STARTS: readonly Rule[] = [["gives", "Returns"]];

interface Compiled {
  readonly pattern: RegExp;
  readonly instead: string;
}

const spaced = (pattern: string) => pattern.replaceAll(" ", "\\s+");
const anywhere = ([pattern, instead]: Rule): Compiled => ({
  pattern: new RegExp(`(?<![\\w-])(?:${spaced(pattern)})(?!\\w)`, "gi"),
  instead,
});
const atStart = ([pattern, instead]: Rule): Compiled => ({
  pattern: new RegExp(`^\\s*(?:${spaced(pattern)})\\b`, "gi"),
  instead,
});
const ticRules = TICS.map(anywhere);
const spellingRules = BRITISH.map(anywhere);
const commentRules = STARTS.map(atStart);

/** A stretch of prose. Line ends stay, so that lines can be counted. */
interface Passage {
  readonly text: string;
  /** Of its first character, from 1. */
  readonly line: number;
  readonly isComment: boolean;
}

/** One use of a listed phrase. */
export interface Finding {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** Every listed phrase in the prose of a file. The file's name says what kind it is. */
export function findingsIn(path: string, source: string): Finding[] {
  return passagesOf(path, source).flatMap((passage) =>
    rulesFor(passage).flatMap(({ pattern, instead }) =>
      Array.from(passage.text.matchAll(pattern), (match) => ({
        line: passage.line + linesIn(passage.text.slice(0, match.index)),
        found: match[0].trim().replace(/\s+/g, " "),
        instead,
      })),
    ),
  );
}

/** A string that is one word is a name, such as "staircase": only its spelling is checked. */
function rulesFor({ text, isComment }: Passage): readonly Compiled[] {
  if (isComment) return [...ticRules, ...spellingRules, ...commentRules];
  return /\s/.test(text.trim()) ? [...ticRules, ...spellingRules] : spellingRules;
}

/** The findings of all files under some paths, as lines of text. */
export function complaintsUnder(paths: readonly string[], except: readonly string[] = []): string[] {
  const files = paths.flatMap(filesUnder).filter((path) => !except.some((other) => isUnder(path, other)));
  return files.flatMap((path) =>
    findingsIn(path, readFileSync(join(root, path), "utf8")).map(
      ({ line, found, instead }) => `${path}:${line} "${found}" → ${instead}`,
    ),
  );
}

/** Not prose, or prose that quotes what is banned. */
const UNCHECKED: readonly string[] = [
  "docs/LOG.md",
  "docs/api",
  "test/support/prose.ts",
  "test/prose.test.ts",
  "test/golden",
  "scripts/bench/peers/candle/target",
  "scripts/bench/peers/node_modules",
  "scripts/api-docs/node_modules",
];

function filesUnder(path: string): string[] {
  if (UNCHECKED.some((other) => isUnder(path, other))) return [];
  if (!statSync(join(root, path)).isDirectory()) return /\.(md|ts|js|py)$/.test(path) ? [path] : [];
  return readdirSync(join(root, path))
    .filter((name) => name !== "node_modules" && !name.startsWith("."))
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`));
}

const isUnder = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

function passagesOf(path: string, source: string): Passage[] {
  if (path.endsWith(".md")) return [{ text: withoutCode(source), line: 1, isComment: false }];
  if (path.endsWith(".py")) return pythonPassages(source);
  const all = scriptPassages(source);
  // In tests, strings are data; their names are prose.
  return path.startsWith("test/") ? all.filter(({ isComment, isTestName }) => isComment || isTestName) : all;
}

/** Markdown without code: fenced and indented blocks and inline code become white space. */
function withoutCode(text: string): string {
  const blank = (code: string) => code.replace(/[^\n]/g, " ");
  return text
    .replace(/^( *)```[\s\S]*?^\1```/gm, blank)
    .replace(/^(?: {4}|\t)(?![*\d-]).*$/gm, blank)
    .replace(/`[^`\n]+`/g, blank)
    .replace(/\]\([^)]*\)/g, blank);
}

const SCRIPT_PARTS =
  /(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(?<=(?:[(,=:[!&|?{};\n]|return)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
const BEFORE_TEST_NAME = /(?:\b(?:test|it|describe)(?:\.\w+)?|\))\(\s*$/;
/** Labels of random draws decide numbers, and mutants quote code: neither is prose. */
const BEFORE_LABEL =
  /\b(?:Random\.of|tinyModel|randomIds|Block\.random)\([^()]*$|\.for\([^()]*$|\b(?:line|broken):\s*$/;
const LABEL_REACH = 120;

interface ScriptPassage extends Passage {
  readonly isTestName: boolean;
}

function scriptPassages(source: string): ScriptPassage[] {
  return Array.from(source.matchAll(SCRIPT_PARTS)).flatMap(
    ({ 1: comment, 2: string, index }): ScriptPassage[] => {
      const before = source.slice(Math.max(0, index - LABEL_REACH), index);
      const line = 1 + linesIn(source.slice(0, index));
      if (comment !== undefined) {
        const text = comment.replace(/^\/\*+|^\/\/+|\*\/$/g, "").replace(/^[ \t]*\*/gm, "");
        return [{ text: withoutCode(unindented(text)), line, isComment: true, isTestName: false }];
      }
      if (string === undefined || BEFORE_LABEL.test(before)) return [];
      const text = string.replace(/\$\{[^{}]*\}/g, " ").replaceAll("\\n", "  ");
      return [{ text, line, isComment: false, isTestName: BEFORE_TEST_NAME.test(before) }];
    },
  );
}

/** A comment's examples are indented by more than one space: only those stay code. */
const unindented = (comment: string) => comment.replace(/^ {1,3}(?=\S)/gm, "");

function pythonPassages(source: string): Passage[] {
  const parts = /"""[\s\S]*?"""|#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return Array.from(source.matchAll(parts), ({ 0: text, index }) => ({
    text,
    line: 1 + linesIn(source.slice(0, index)),
    isComment: text.startsWith("#") || text.startsWith('"""'),
  }));
}

function linesIn(text: string): number {
  return text.split("\n").length - 1;
}
