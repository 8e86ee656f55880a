/**
 * The words of the tales: lists of equally likely entries. Every entry fits wherever the plots use its list, so any
 * choice makes sense.
 */
import type { Word } from "./grammar.ts";

/** Words without other forms, separated by spaces, or by commas if an entry contains spaces. */
function plain(entries: string): Word[] {
  return entries
    .trim()
    .split(entries.includes(",") ? /,\s*/ : /\s+/)
    .map((text) => ({ text }));
}

/** Countable nouns, as "singular" or "singular/plural". The form `a` includes the article; `plural` is the plural. */
function nouns(entries: string): Word[] {
  return plain(entries).map(({ text }) => {
    const [one, many = `${text}s`] = text.split("/") as [string, string?];
    return { text: one, a: withArticle(one), plural: many };
  });
}

/** Adjectives. The form `a` includes the article of a following noun. */
function adjectives(entries: string): Word[] {
  return plain(entries).map(({ text }) => ({ text, a: withArticle(text) }));
}

/** Names with matching pronouns: `she` (subject), `her` (object), `his` (possessive). */
function names(pronouns: { she: string; her: string; his: string }, entries: string): Word[] {
  return plain(entries).map(({ text }) => ({ text, ...pronouns }));
}

/** Our words have no silent h and no u that sounds like "you", so the first letter decides. */
function withArticle(text: string): string {
  return `${/^[aeiou]/.test(text) ? "an" : "a"} ${text}`;
}

export const words: Readonly<Record<string, readonly Word[]>> = {
  name: [
    ...names(
      { she: "she", her: "her", his: "her" },
      `Ada Bea Dot Gwen Hetty Juno Mab Nell Poppy Tilda Una Willa`,
    ),
    ...names({ she: "he", her: "him", his: "his" }, `Abe Bram Dov Gus Hugo Jem Milo Ned Pim Tam Ulf Wilf`),
  ],
  kind: nouns(
    `badger beaver colt crow donkey fox/foxes goat hare kid mouse/mice otter pig robin squirrel
     wolf/wolves baker fiddler potter`,
  ),
  thing: nouns(
    `apron bag bell bottle box/boxes clock cup fan hammer kite ladder mirror pan pillow rope
     scarf/scarves shield teapot`,
  ),
  color: adjectives("amber black blue copper cream gold lilac orange purple red silver violet"),
  size: adjectives("big bright cheap flat large light neat new old short soft tall"),
  good: nouns(
    `acorn almond berry/berries bun coin date fig grape muffin nail onion pancake potato/potatoes
     radish/radishes seed stamp`,
  ),
  food: plain(
    `bacon barley bread celery chowder custard flour garlic honey malt milk mustard pasta pie salad spice
     stew toast`,
  ),
  spot: plain(
    `arch bench camp church cottage ferry fountain gate hill market mill oak path pond shore statue swamp
     tunnel`,
  ),
  "town-head": plain("Ald Ash Bex Bram Cor Dun Fal Glen Kirk Lang Mal New Rush Sel Swin Upp"),
  "town-tail": plain("bourne bridge combe dale field hurst mere mouth stead stow"),
  number: plain("two three four five six seven eight nine ten eleven twelve"),
  // Two digits, for a count from 20 to 99.
  tens: plain("2 3 4 5 6 7 8 9"),
  digit: plain("0 1 2 3 4 5 6 7 8 9"),
  date: plain(
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th 21st 22nd 23rd 24th 25th 26th 27th 28th",
  ),
  month: plain("January February March April May June July August September October November December"),
  hour: plain("morning afternoon evening night day Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
  weather: adjectives(
    "bleak bright calm clear cool dark dim dull fresh gusty hot icy murky snowy stormy warm",
  ),
  mood: adjectives(
    `angry bored busy cheerful eager glad grumpy hungry lively merry nervous proud shy sleepy stiff timid`,
  ),
  manner: plain("boldly briskly coldly gladly gruffly humbly merrily politely quickly shyly softly sweetly"),
  went: plain("bounced crawled danced hopped jogged marched rode rushed scurried stomped strode trotted"),
  note: plain("da dee di do dum fa fee ho hum la li lo mi na ra ree ro ta ti to tra tum wee wo"),
};
