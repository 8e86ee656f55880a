/**
 * The words of the tales: lists of equally likely entries. Every entry of a list fits wherever the plots use the list,
 * so a slot may take any of them and still make sense.
 */
import type { Word } from "./grammar.ts";

/** Words without other forms, parted by spaces, or by commas where an entry has spaces of its own. */
function plain(entries: string): Word[] {
  return entries
    .trim()
    .split(entries.includes(",") ? /,\s*/ : /\s+/)
    .map((text) => ({ text }));
}

/** Nouns that can be counted, as "singular" or "singular/plural": `a` is with its article, `plural` is many. */
function nouns(entries: string): Word[] {
  return plain(entries).map(({ text }) => {
    const [one, many = `${text}s`] = text.split("/") as [string, string?];
    return { text: one, a: withArticle(one), plural: many };
  });
}

/** Adjectives: `a` is with the article that a noun behind it takes. */
function adjectives(entries: string): Word[] {
  return plain(entries).map(({ text }) => ({ text, a: withArticle(text) }));
}

/** Names with the pronouns that agree: `she` says it, `her` is said to it, `his` is its own. */
function names(pronouns: { she: string; her: string; his: string }, entries: string): Word[] {
  return plain(entries).map(({ text }) => ({ text, ...pronouns }));
}

/** No word of ours has a silent h or a u that sounds like "you", so the letter decides. */
function withArticle(text: string): string {
  return `${/^[aeiou]/.test(text) ? "an" : "a"} ${text}`;
}

export const words: Readonly<Record<string, readonly Word[]>> = {
  // No two names begin with the same letter, nor do two things or two colours: one letter tells which returns.
  name: [
    ...names(
      { she: "she", her: "her", his: "her" },
      "Ada Cleo Elsie Gwen Ivy Kitty Mab Olive Rosa Tilda Vera Yara",
    ),
    ...names({ she: "he", her: "him", his: "his" }, "Bram Dov Finn Hugo Jem Leo Ned Pim Sam Ulf Wilf Zeb"),
  ],
  kind: nouns(
    `badger bear cat crow dog duck fox/foxes frog goat goose/geese hare hen lamb mole mouse/mice otter owl pony/ponies
     robin snail toad wren baker king piper queen sailor weaver`,
  ),
  thing: nouns(
    `apron bell cup drum easel flag glove hat inkpot jug kite lamp mug net oar pipe quilt ring spoon top umbrella vase
     whistle zither`,
  ),
  colour: adjectives("amber blue copper green lilac orange pink red silver violet white yellow"),
  size: adjectives("big fine little neat new odd old plain round small soft tiny"),
  good: nouns(
    `acorn apple bean bun button candle cherry/cherries coin egg feather fig leaf/leaves lemon marble nail nut onion
     peach/peaches pear pearl pin plum rose shell`,
  ),
  food: plain(
    "bread butter cake cheese corn cream fudge ginger honey jam milk mint oats peas pie rice salt soup tea toast",
  ),
  spot: plain(
    "barn bench bridge church field garden gate hill inn lake mill orchard pond road school shed tower wall well wood",
  ),
  "town-head": plain("Ash Bram Dun Elm Fern Glen Hart Kirk Lang Moss New Oak Penn Red Stan Thorn"),
  "town-tail": plain("bury by dale den field ford ham ley mouth port stead stow ton wick"),
  number: plain("two three four five six seven eight nine ten eleven twelve"),
  weather: adjectives(
    "bright clear cloudy cold damp dark foggy frosty hot misty rainy snowy sunny warm wet windy",
  ),
  hour: plain("morning evening night day Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
  month: plain("January February March April May June July August September October November December"),
  mood: adjectives(
    "angry bold bored brave calm cross glad happy hungry merry proud quiet sad shy sleepy tired",
  ),
  manner: plain("boldly gently gladly kindly loudly proudly quickly sadly shyly slowly softly warmly"),
  went: plain("crept danced hopped hurried marched ran rode skipped strolled trotted walked wandered"),
  note: plain("da dee di do dum fa fee ho hum la li lo mi na ra ree ro ta ti to tra tum"),
};
