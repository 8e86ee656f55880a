/**
 * A grammar as data, and one machine that runs it.
 *
 * Enters: rules (each a list of equally likely templates) and words (each a list of equally likely entries with
 * their forms). Leaves: a machine that says text and stops wherever there is something to choose. Who chooses is
 * not its business: `generate` lets chance choose, `score` lets a given text choose, and because both drive the same
 * machine, they cannot disagree about what the grammar means.
 *
 * A template is text with
 *
 *     {rule}          the rule's text: one of its templates
 *     {list}          a word of the list
 *     {list:x}        the same, remembered as x; {list!y!z} takes none of the words remembered as y or z
 *     {x}             what is remembered as x: nothing to choose
 *     {….form}        another form of the word, such as {x.plural}; {….Form} begins with a capital
 *
 * Names of one letter are remembered for the whole tale; longer ones may be taken again.
 */

/** A word and its forms; `text` is what stands when no form is asked for. */
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

/** What is still to be said, as a linked list, so that states share their tails. */
type Pending = { readonly part: Part; readonly next: Pending } | undefined;

/** The words remembered so far, the latest first. */
type Memory = { readonly name: string; readonly word: Word; readonly earlier: Memory } | undefined;

/** A place in a derivation: what is to come, and the words remembered so far. States are values: nothing mutates. */
export interface State {
  readonly pending: Pending;
  readonly memory: Memory;
}

/** What the machine does next: says something, offers equally likely ways to go on, or has finished. */
export type Move =
  | { readonly kind: "say"; readonly text: string; readonly rest: State }
  | { readonly kind: "choose"; readonly options: readonly State[] }
  | { readonly kind: "end" };

/** A grammar made ready to run, to be begun at the rule `start`. */
export function compile({ rules, words }: Grammar, start: string): State {
  const choices = new Map<string, Template[]>();

  /** The choice among a rule's templates. It is noted before they are read, so that rules may hold each other. */
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
    const [, name = "", form, as, not = ""] = SLOT.exec(inside) ?? fail(`{${inside}} is no slot`, template);
    if (name in rules) {
      if (inside !== name) fail(`the rule ${name} has no forms and is not remembered`, template);
      return ruleNamed(name);
    }
    const list = words[name];
    if (list === undefined) return { kind: "remembered", name, form: form ?? "text" };
    return { kind: "word", list, form: form ?? "text", as, not: not.split("!").slice(1) };
  };

  /** Splitting at slots leaves text at even places and the insides of slots at odd ones. */
  const parse = (template: string): Template =>
    template.split(/\{([^{}]*)\}/).flatMap((piece, at): Part[] => {
      if (at % 2 === 1) return [slot(piece, template)];
      if (/[{}]/.test(piece)) fail("a brace without its partner", template);
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
      const word = recall(memory, part.name) ?? fail(`nothing is remembered as ${part.name}`);
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
      if (part.as?.length === 1 && recall(memory, part.as)) fail(`${part.as} is remembered already`);
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

/** A word in a form; a form with a capital is the lower-case form, capitalised. */
function formOf(word: Word, form: string): string {
  const plain = form[0]!.toLowerCase() + form.slice(1);
  const text = word[plain] ?? fail(`“${word.text}” has no form .${plain}`);
  return plain === form ? text : text[0]!.toUpperCase() + text.slice(1);
}

function fail(what: string, template?: string): never {
  throw new Error(template === undefined ? `tales: ${what}` : `tales: ${what} in: ${template}`);
}
