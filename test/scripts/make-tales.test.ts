import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BETWEEN, makeCorpus, tale } from "../../scripts/tales/corpus.ts";
import { compile } from "../../scripts/tales/grammar.ts";
import { generate, score } from "../../scripts/tales/tale.ts";
import { words } from "../../scripts/tales/words.ts";
import { Random } from "../../src/random.ts";

const read = (file: string) => readFileSync(new URL(`../../data/${file}`, import.meta.url), "utf8");
const text = read("tales.txt");
const facts = JSON.parse(read("tales.json"));
const tales = text.trimEnd().split(BETWEEN);
const cut = Math.floor(0.9 * text.length);

/** The sentences of a tale; a closing quotation mark belongs to its sentence. */
const sentences = (tale: string) => tale.match(/.+?[.!?]"?(?=\s|$)/gs)!.map((sentence) => sentence.trim());

describe("the files on disk", () => {
  test("match the output of the script", () => {
    const made = makeCorpus();
    expect(text === made.text).toBe(true); // toBe(text) would print a million characters on failure
    expect(facts).toEqual(made.facts);
  });

  test("start with the first tale of their seed, unlike another seed", () => {
    expect(generate(tale, Random.of(facts.seed + 1, "tales")).text).not.toBe(tales[0]);
    expect(generate(tale, Random.of(facts.seed, "tales")).text).toBe(tales[0]);
  });

  test("are about a million plain characters", () => {
    expect(text.length).toBeGreaterThan(900_000);
    expect(text.length).toBeLessThan(1_100_000);
    expect(text).toMatch(/^[\n -~]+$/);
  });

  test("agree with the facts in the JSON file", () => {
    expect(facts.characters).toBe(text.length);
    expect(facts.tales).toBe(tales.length);
    expect(facts.vocabulary).toBe([...new Set(text)].sort().join(""));
    expect(facts.sha256).toBe(createHash("sha256").update(text).digest("hex"));
  });

  test("the nine-tenths cut falls between two tales", () => {
    const { train, validation } = facts.split;
    expect(train.characters).toBe(cut);
    expect(train.characters + validation.characters).toBe(text.length);
    expect(train.tales + validation.tales).toBe(tales.length);
    expect(text.slice(cut - BETWEEN.length, cut)).toBe(BETWEEN);
    expect(text.slice(0, cut).trimEnd().split(BETWEEN)).toHaveLength(train.tales);
  });
});

describe("the entropy", () => {
  test("matches the text: every tale has exactly one derivation, and the scores add up to the stated nats", () => {
    const nats = { train: 0, validation: 0 };
    let at = 0;
    for (const told of tales) {
      const { derivations, logProbability } = score(tale, told);
      if (derivations !== 1) expect.fail(`${derivations} derivations of: ${told}`);
      nats[at < cut ? "train" : "validation"] -= logProbability;
      at += told.length + BETWEEN.length;
    }
    for (const split of ["train", "validation"] as const) {
      const { characters, entropyNatsPerCharacter } = facts.split[split];
      expect(entropyNatsPerCharacter).toBeCloseTo(nats[split] / characters, 6);
    }
  });

  test("of new tales equals their score", () => {
    const random = Random.of(7, "fresh tales");
    for (let i = 0; i < 200; i++) {
      const told = generate(tale, random);
      const scored = score(tale, told.text);
      expect(scored.derivations).toBe(1);
      expect(scored.logProbability).toBeCloseTo(told.logProbability, 9);
    }
  });

  test("a text that the grammar cannot make has no derivation", () => {
    const told = tales[0]!;
    expect(score(tale, told.slice(0, -1)).derivations).toBe(0);
    expect(score(tale, `${told} `).derivations).toBe(0);
    expect(score(tale, told.replace(/[a-z]/, "#")).derivations).toBe(0);
  });

  test("no list contains an entry twice", () => {
    for (const [list, entries] of Object.entries(words)) {
      expect(new Set(entries.map((word) => word.text)).size, list).toBe(entries.length);
    }
  });
});

describe("the grammar's machine", () => {
  const word = (text: string) => ({ text, plural: `${text}s` });
  const small = { words: { pet: [word("cat"), word("dog"), word("hen")] } };
  const grammar = (...start: string[]) => compile({ ...small, rules: { start, tail: ["!", "?"] } }, "start");

  test("every choice costs the logarithm of the number of options", () => {
    const { derivations, logProbability } = score(
      grammar("{pet:a} and {pet.plural!a}{tail}", "{pet}"),
      "cat and hens!",
    );
    expect(derivations).toBe(1);
    expect(logProbability).toBeCloseTo(-Math.log(2 * 3 * 2 * 2), 12);
  });

  test("a remembered word costs nothing and must agree", () => {
    const start = grammar("{pet:a}, {a}, {a.Plural}");
    expect(score(start, "dog, dog, Dogs").logProbability).toBeCloseTo(-Math.log(3), 12);
    expect(score(start, "dog, dog, Cats").derivations).toBe(0);
  });

  test("an excluded word cannot occur", () => {
    expect(score(grammar("{pet:a} {pet!a}"), "cat cat").derivations).toBe(0);
  });

  test("ambiguity is counted, not hidden", () => {
    expect(score(grammar("a {pet}", "a cat"), "a cat").derivations).toBe(2);
  });

  test.each(["{pet", "pet}", "{pet:A}", "{tail:a}"])(
    "rejects a malformed template and shows it: %s",
    (template) => {
      expect(() => grammar(template)).toThrow(template);
    },
  );

  test.each(["{nobody}", "{pet.past}", "{pet:a}{pet:a}"])(
    "rejects a template that cannot be expanded: %s",
    (template) => {
      expect(() => generate(grammar(template), Random.of(1))).toThrow(/^tales: /);
    },
  );
});

describe("the English", () => {
  test("a and an agree with the next word", () => {
    expect(text.match(/\ba [aeiou]\w*/gi) ?? []).toEqual([]);
    expect(text.match(/\ban [^aeiou]\w*/gi) ?? []).toEqual([]);
  });

  test("spaces and periods are in the right places", () => {
    expect(text.match(/.{9}(?: {2}| [.,!?]|[.,!?][.,!?]| \n|\n )/g) ?? []).toEqual([]);
    for (const told of tales) expect(told).toMatch(/^[A-Z].*[.!?]"?$/s);
  });

  test("sentences start with a capital, and no tale repeats a sentence", () => {
    for (const told of tales) {
      const all = sentences(told);
      expect(all.join(" ")).toBe(told.replaceAll("\n", " "));
      // A quoted question may be followed by more of the sentence: "An egg?" he said.
      for (const sentence of all) expect(sentence).toMatch(/^(?:"?[A-Z]|"\d|(?:s?he )?said )/);
      expect(new Set(all).size, told).toBe(all.length);
    }
  });

  test("nouns are plural after a number above one, singular after a or an", () => {
    const plurals = new Set(
      Object.values(words).flatMap((list) => list.flatMap((word) => word.plural ?? [])),
    );
    for (const [, noun] of text.matchAll(
      /\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d\d) (\w+)/g,
    )) {
      if (!plurals.has(noun!) && noun !== "days") expect(adjective(noun!), noun).toBe(true);
    }
    for (const [, noun] of text.matchAll(/\ban? (\w+)\b/g)) expect(plurals.has(noun!), noun).toBe(false);
  });

  test("pronouns agree: a tale with only female characters never says he, and vice versa", () => {
    for (const told of tales) {
      const people = new Set(
        words.name!.filter(({ text }) => new RegExp(`\\b${text}\\b`).test(told)).map(({ she }) => she),
      );
      for (const [she, pronouns] of [
        ["she", /\b(?:she|her)\b/i],
        ["he", /\b(?:he|him|his)\b/i],
      ] as const) {
        if (!people.has(she)) expect(told).not.toMatch(pronouns);
      }
    }
  });

  test("early words return later: a name, or the thing with its color, in most tales", () => {
    const anyOf = (list: string) => `(?:${words[list]!.map(({ text }) => text).join("|")})`;
    const name = new RegExp(`\\b${anyOf("name")}\\b`, "g");
    const treasure = new RegExp(`\\b${anyOf("color")} ${anyOf("thing")}\\b`, "g");
    const returns = (told: string, what: RegExp) => {
      const said = told.match(what) ?? [];
      return new Set(said).size < said.length;
    };
    const share = (...whats: RegExp[]) =>
      tales.filter((told) => whats.some((what) => returns(told, what))).length / tales.length;
    expect(share(name, treasure)).toBeGreaterThan(0.85);
    expect(share(name)).toBeGreaterThan(0.5);
    expect(share(treasure)).toBeGreaterThan(0.5);
  });
});

/** Whether a word is one of our adjectives, which may come between a number and its noun. */
function adjective(word: string): boolean {
  return ["color", "size", "weather"].some((list) => words[list]!.some(({ text }) => text === word));
}
