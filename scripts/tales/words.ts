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
  name: [
    ...names(
      { she: "she", her: "her", his: "her" },
      `Ada Bea Cleo Dot Edda Fern Gwen Hetty Ivy Juno Kitty Lotte Mab Nell Olive Poppy Rosa Sal Tilda Una Vera Willa Yara
       Zoe`,
    ),
    ...names(
      { she: "he", her: "him", his: "his" },
      `Abe Bram Cob Dov Emil Finn Gus Hugo Ivo Jem Kip Leo Milo Ned Otto Pim Rolf Sam Tam Ulf Vic Wilf Yan Zeb`,
    ),
  ],
  kind: nouns(
    `badger bear beaver cat colt cow crab crane crow cuckoo dog donkey dove duck eel falcon finch/finches fox/foxes frog
     goat goose/geese gull hare hen heron jay kid lamb lark lizard magpie mole moth mouse/mice newt otter owl pig pony/ponies
     rabbit raven robin seal snail squirrel stork swan toad turtle weasel wolf/wolves wren baker cobbler cook fiddler king
     miller piper potter queen sailor shepherd smith tailor weaver`,
  ),
  thing: nouns(
    `apron bag basket bell boat bonnet book bottle bowl box/boxes brush/brushes bucket cap cart chair clock coat comb cup
     drum fan flag flute glove hammer hat inkpot jar jug kettle kite ladder lamp mirror mug net oar pan pen pillow pipe
     plate purse quilt ring rope rug sack scarf/scarves shawl shield sled spoon stool teapot top tray umbrella vase whistle`,
  ),
  colour: adjectives(
    "amber black blue brown copper cream gold green grey lilac orange pink purple red silver tan violet white yellow",
  ),
  size: adjectives(
    "big bright broad cheap clean fine flat heavy large light little long narrow neat new odd old plain round short small soft tall thin tiny wide",
  ),
  good: nouns(
    `acorn almond apple bean beet berry/berries bone bun button cabbage candle carrot cherry/cherries clove coin cork date
     egg feather fig gem grape hook leaf/leaves leek lemon lime marble melon muffin nail needle nut olive onion orange
     pancake peach/peaches pear pearl pebble pin plum potato/potatoes pumpkin radish/radishes rose scone seed shell stamp stone thimble thorn
     tulip turnip twig walnut`,
  ),
  food: plain(
    `bacon barley beer bread broth butter cake celery cheese chowder cider cocoa corn cream curd custard dough fish flour
     fudge garlic ginger ham hash honey jam jelly juice kale lard malt milk mint mustard oats oil parsley pasta pepper pie
     porridge pudding rice rye sage salad salt soup spice spinach stew sugar syrup tea toast trout veal water wine yeast`,
  ),
  spot: plain(
    `arch barn bench bridge camp canal castle cave church cliff cottage creek dairy dam dock farm fence ferry field ford
     forge fountain garden gate hall harbour hedge hill inn island kiln lake lane lodge market meadow mill moor oak orchard
     palace park path pier pond port quarry river road school shed shore shop spring stable statue stile swamp temple
     tower tree tunnel village wall well wharf wood yard`,
  ),
  "town-head": plain(
    "Ald Ash Barn Bex Brad Bram Burn Chip Cold Cor Dun Elm Fal Fern Glen Had Hart Kel Kirk Lang Lin Mal Moss New Oak Penn Red Rush Sel Stan Swin Thorn Upp Wal Wex Win",
  ),
  "town-tail": plain(
    "bourne bridge bury combe dale den field ford ham hurst ley mere mouth port stead stow ton wick worth",
  ),
  number: plain("two three four five six seven eight nine ten eleven twelve"),
  // Two figures make a count of 20 to 99.
  tens: plain("2 3 4 5 6 7 8 9"),
  digit: plain("0 1 2 3 4 5 6 7 8 9"),
  date: plain(
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th 21st 22nd 23rd 24th 25th 26th 27th 28th",
  ),
  month: plain("January February March April May June July August September October November December"),
  hour: plain("morning afternoon evening night day Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
  weather: adjectives(
    "bleak bright breezy calm chilly clear cloudy cold cool damp dark dewy dim dry dull dusty foggy fresh frosty gusty hazy hot icy mild misty muddy murky rainy snowy stormy sunny warm wet wild windy",
  ),
  mood: adjectives(
    "angry bold bored brave busy calm cheerful cold cross dizzy eager gentle glad gloomy grumpy happy hungry jolly kind lazy lively lonely merry mild nervous polite proud quiet restless sad shy silent sleepy sorry stiff thirsty timid tired weary wise worried",
  ),
  manner: plain(
    "boldly bravely briskly calmly coldly dryly firmly gently gladly gravely gruffly happily humbly kindly lightly loudly meekly merrily mildly politely proudly quickly quietly sadly sharply shyly slowly softly stiffly sweetly warmly weakly wearily wisely",
  ),
  went: plain(
    "bounced climbed crawled crept danced drifted galloped hiked hobbled hopped hurried jogged jumped limped marched paced raced rambled ran rode rolled rushed sailed scurried skated skipped slipped sneaked stomped strolled strode swam tiptoed trotted trudged waddled walked wandered",
  ),
  note: plain("da dee di do dum fa fee ho hum la li lo mi na ra ree ro ta ti to tra tum wee wo"),
};
