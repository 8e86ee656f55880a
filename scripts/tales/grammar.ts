/**
 * A grammar as data, and a machine that runs it.
 *
 * Input: rules (each a list of equally likely templates) and words (each a list of equally likely entries with their
 * forms). Output: a machine that emits text and stops at every choice. The caller makes the choices: `generate` draws
 * them at random, `score` derives them from a given text. Both drive the same machine, so they cannot disagree about
 * what the grammar means.
 *
 * A template is text with
 *
 *     {rule}          the rule's text: one of its templates
 *     {list}          a word of the list
 *     {list:x}        the same, remembered as x; {list!y!z} excludes the words remembered as y or z
 *     {x}             the word remembered as x: no choice
 *     {….form}        another form of the word, for example {x.plural}; {….Form} starts with a capital
 *
 * Names of one letter are remembered for the whole tale; longer names may be reused.
 */

/** A word and its forms. `text` is the default form. */
export type Word = { readonly text: string; readonly [form: string]: string };

export interface Grammar {
  readonly rules: Readonly<Record<string, readonly string[]>>;
  readonly words: Readonly<Record<string, readonly Word[]>>;
}

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "choice"; readonly templates: readonly Template[] }
  | {
      readonly kind: "word";
      readonly list: readonly Word[];
      readonly as: string | undefined;
      readonly not: readonly string[];
      readonly form: string;
    }
  | { readonly kind: "remembered"; readonly name: string; readonly form: string };

type Template = readonly Part[];

/** The rest of the derivation, as a linked list, so that states share their tails. */
type Pending = { readonly part: Part; readonly next: Pending } | undefined;

/** The words remembered so far, latest first. */
type Memory = { readonly name: string; readonly word: Word; readonly earlier: Memory } | undefined;

/** A point in a derivation: the parts to come and the words remembered so far. States are immutable values. */
export interface State {
  readonly pending: Pending;
  readonly memory: Memory;
}

/** The machine's next move: emit text, offer equally likely options, or end. */
export type Move =
  | { readonly kind: "say"; readonly text: string; readonly rest: State }
  | { readonly kind: "choose"; readonly options: readonly State[] }
  | { readonly kind: "end" };

/** Compiles a grammar into the initial state of a machine that starts at the rule `start`. */
export function compile({ rules, words }: Grammar, start: string): State {
  const choices = new Map<string, Template[]>();

  /**
   * The choice among a rule's templates. Registered before the templates are parsed, so that rules may be recursive.
   */
  const ruleNamed = (name: string): Part => {
    let templates = choices.get(name);
    if (templates === undefined) {
      templates = [];
      choices.set(name, templates);
      for (const template of rules[name]!) templates.push(parse(template));
    }
    return { kind: "choice", templates };
  };

  const slot = (inside: string, template: string): Part => {
    const [, name = "", form, as, not = ""] =
      SLOT.exec(inside) ?? fail(`{${inside}} is not a slot`, template);
    if (name in rules) {
      if (inside !== name) fail(`the rule ${name} has no forms and cannot be remembered`, template);
      return ruleNamed(name);
    }
    const list = words[name];
    if (list === undefined) return { kind: "remembered", name, form: form ?? "text" };
    return { kind: "word", list, form: form ?? "text", as, not: not.split("!").slice(1) };
  };

  /** Splitting at slots leaves text at even indices and the contents of slots at odd indices. */
  const parse = (template: string): Template =>
    template.split(/\{([^{}]*)\}/).flatMap((piece, at): Part[] => {
      if (at % 2 === 1) return [slot(piece, template)];
      if (/[{}]/.test(piece)) fail("unmatched brace", template);
      return piece === "" ? [] : [{ kind: "text", text: piece }];
    });

  return { pending: { part: ruleNamed(start), next: undefined }, memory: undefined };
}

/** name, .form, :as, !not!not */
const SLOT = /^([a-z-]+)(?:\.([A-Za-z]+))?(?::([a-z]+))?((?:![a-z]+)*)$/;

/** The machine's next move. */
export function move(state: State): Move {
  const { pending, memory } = state;
  if (pending === undefined) return { kind: "end" };
  const { part, next } = pending;
  switch (part.kind) {
    case "text":
      return { kind: "say", text: part.text, rest: { pending: next, memory } };
    case "remembered": {
      const word = recall(memory, part.name) ?? fail(`no word is remembered as ${part.name}`);
      return { kind: "say", text: formOf(word, part.form), rest: { pending: next, memory } };
    }
    case "choice":
      return {
        kind: "choose",
        options: part.templates.map((template) => ({ pending: before(template, next), memory })),
      };
    case "word": {
      const taken = part.not.map((name) => recall(memory, name));
      const options = part.list.filter((word) => !taken.includes(word));
      if (part.as?.length === 1 && recall(memory, part.as)) fail(`${part.as} is already remembered`);
      return {
        kind: "choose",
        options: options.map((word) => ({
          pending: { part: { kind: "text", text: formOf(word, part.form) }, next },
          memory: part.as === undefined ? memory : remember(memory, part.as, word),
        })),
      };
    }
  }
}

function before(template: Template, next: Pending): Pending {
  return template.reduceRight<Pending>((rest, part) => ({ part, next: rest }), next);
}

function remember(memory: Memory, name: string, word: Word): Memory {
  return { name, word, earlier: memory };
}

function recall(memory: Memory, name: string): Word | undefined {
  for (let at = memory; at !== undefined; at = at.earlier) if (at.name === name) return at.word;
  return undefined;
}

/** A word in a form. A form that starts with a capital is the capitalized lower-case form. */
function formOf(word: Word, form: string): string {
  const plain = form[0]!.toLowerCase() + form.slice(1);
  const text = word[plain] ?? fail(`“${word.text}” has no form .${plain}`);
  return plain === form ? text : text[0]!.toUpperCase() + text.slice(1);
}

function fail(what: string, template?: string): never {
  throw new Error(template === undefined ? `tales: ${what}` : `tales: ${what} in: ${template}`);
}
