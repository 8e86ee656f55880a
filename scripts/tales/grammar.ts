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
 *     (one|two|)      one of these, equally likely; the last is empty. They nest.
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
      readonly as?: string;
      readonly not: readonly string[];
      readonly form: string;
    }
  | { readonly kind: "remembered"; readonly name: string; readonly form: string };

type Template = readonly Part[];

/** What is still to be said, as a linked list, so that states share their tails. */
type Pending = { readonly part: Part; readonly next: Pending } | undefined;

/** A place in a derivation: what is to come, and the words remembered so far. States are values: nothing mutates. */
export interface State {
  readonly pending: Pending;
  readonly memory: Readonly<Record<string, Word>>;
}

/** What the machine does next: says something, offers equally likely ways to go on, or has finished. */
export type Move =
  | { readonly kind: "say"; readonly text: string; readonly rest: State }
  | { readonly kind: "choose"; readonly options: readonly State[] }
  | { readonly kind: "end" };

/** A grammar made ready to run, to be begun at `start`. */
export function compile(grammar: Grammar, start: string): State {
  const templates = new Map<string, readonly Template[]>();

  /** The choice among a rule's templates; filled in later when rules are still being read. */
  const ruleNamed = (name: string): Part => {
    let known = templates.get(name);
    if (known === undefined) {
      const filling: Template[] = [];
      known = filling;
      templates.set(name, known);
      for (const template of grammar.rules[name]!) filling.push(parse(template));
    }
    return { kind: "choice", templates: known };
  };

  const slot = (inside: string, template: string): Part => {
    const [, name, form = "text", as, not = ""] =
      SLOT.exec(inside) ?? fail(`{${inside}} is no slot`, template);
    if (name! in grammar.rules) return ruleNamed(name!);
    const list = grammar.words[name!];
    if (list === undefined) return { kind: "remembered", name: name!, form };
    const excluded = not.split("!").filter((word) => word !== "");
    return { kind: "word", list, form, not: excluded, ...(as === undefined ? {} : { as }) };
  };

  const parse = (template: string): Template => {
    let at = 0;
    const sequence = (closing: string): Part[] => {
      const parts: Part[] = [];
      for (;;) {
        const from = at;
        while (at < template.length && !"{(|)".includes(template[at]!)) at++;
        if (at > from) parts.push({ kind: "text", text: template.slice(from, at) });
        const mark = template[at];
        if (mark === undefined || closing.includes(mark)) return parts;
        if (mark === "{") {
          const end = template.indexOf("}", at);
          if (end < 0) fail("a { is never closed", template);
          parts.push(slot(template.slice(at + 1, end), template));
          at = end + 1;
        } else if (mark === "(") {
          const options: Part[][] = [];
          do {
            at++;
            options.push(sequence("|)"));
          } while (template[at] === "|");
          if (template[at] !== ")") fail("a ( is never closed", template);
          at++;
          parts.push({ kind: "choice", templates: options });
        } else fail(`${mark} outside of ( )`, template);
      }
    };
    return sequence("");
  };

  return { pending: { part: ruleNamed(start), next: undefined }, memory: {} };
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
      const word = memory[part.name] ?? fail(`nothing is remembered as ${part.name}`);
      return { kind: "say", text: formOf(word, part.form), rest: { pending: next, memory } };
    }
    case "choice":
      return {
        kind: "choose",
        options: part.templates.map((template) => ({ pending: before(template, next), memory })),
      };
    case "word": {
      const taken = part.not.map((name) => memory[name]);
      const options = part.list.filter((word) => !taken.includes(word));
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

function remember(memory: State["memory"], name: string, word: Word): State["memory"] {
  if (name.length === 1 && name in memory) fail(`${name} is remembered already`);
  return { ...memory, [name]: word };
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
