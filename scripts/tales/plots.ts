/**
 * The plots of the tales and their sentences. The people and things of a tale are remembered under the same letters
 * everywhere: h the hero, k its kind, f the friend, g its kind, t the thing, c its color. Words remembered early
 * return late, and are then certain to a reader of the whole tale.
 *
 * Sentences are short and full of choices, so a tale has much that is unpredictable and little that is predictable;
 * lists and songs have the most. No tale is ambiguous: where two alternatives begin alike, the text that follows
 * tells them apart.
 */
export const rules: Readonly<Record<string, readonly string[]>> = {
  tale: [
    "{lost}",
    "{gift}",
    "{storm}",
    "{bargain}",
    "{riddle}",
    "{visit}",
    "{quarrel}",
    "{letter}",
    "{voyage}",
  ],

  // Place, time and hero: the start of a sentence that the plot completes.
  hero: ["{when}, {name:h} the {kind:k}"],
  when: [
    "One {weather} {hour} in {town}",
    "In {town}, on the {date} of {month}",
    "In the year 1{digit}{digit}{digit}, near {town}",
    "Between {town-head:one}{town-tail} and {town-head!one}{town-tail}",
  ],
  town: ["{town-head}{town-tail}"],

  // The hero goes somewhere.
  walk: [
    "{h.She} {went} past the {spot:one}, the {spot:two!one} and the {spot!one!two}.",
    "{h.She} saw {finds}.",
    "{h.She} {went} to the {spot}, and {many} {kind.plural} {went} after {h.her}.",
  ],

  // A friend joins the tale.
  comes: [
    "By the {spot} sat {name:f!h} the {kind:g!k}, {mood:one} and {mood!one}.",
    "Then {name:f!h} the {kind:g!k} came with {feast}.",
  ],

  // Various objects, never the thing of the tale if that is already known.
  finds: [
    "{many} {good.plural:one}, {many} {good.plural:two!one} and {many} {good.plural!one!two}",
    "{size.a} {color} {thing!t} and {many} {good.plural}",
    "{size.a} {thing:one!t}, {size.a} {thing!t!one} and {many} {good.plural}",
  ],
  many: ["{number}", "{tens}{digit}"],
  feast: ["{food:one}, {food:two!one} and {food!one!two}"],

  // Things friends say in any tale.
  talk: [
    '"I have {finds}," said {f}.',
    '"It is {weather:one} and {weather!one}," was all {h.she} said.',
    '"You look {mood:one} and {mood!one}," said {f} {manner}.',
    '"I dreamed of {good.plural:one}, {kind.plural} and {good.plural!one}," {h.she} said {manner}.',
  ],

  // Every tale ends with a song, whose syllables are unpredictable.
  end: ["{close} {song}", "{song}"],
  close: [
    "They ate {feast}.",
    "{name:one!h!f}, {name:two!h!f!one} and {name!h!f!one!two} {went} in.",
    "They {went} home, {mood:one} and {mood!one}.",
  ],
  song: [
    'They sang, "{verse}! {verse}! {verse}! {verse}!"',
    'And the {kind.plural} sang, "{verse}! {verse}! {verse}! {verse}!"',
    'And they danced to "{verse}" and "{verse}", then "{verse}" and "{verse}".',
  ],
  verse: [
    "{note.Text} {note} {note}, {note} {note} {note}, {note} {note} {note}, {note} {note} {note} {note} {note}",
  ],

  // A thing is lost and found.
  lost: ["{hero} lost {size.a} {color:c} {thing:t}. {walk} {comes}\n{talk} {lost-found} {end}"],
  "lost-found": [
    "The {c} {t} lay by the {spot}, under {finds}.",
    "{number.Text} {kind.plural} had the {c} {t}.",
  ],

  // A thing is made for a friend.
  gift: [
    "{hero} made {size.a} {color:c} {thing:t} for {name:f!h} the {kind:g!k}. {walk}\n{talk} {gift-used} {end}",
  ],
  "gift-used": ["The {c} {t} went to the {spot}, with {finds}.", "They put {finds} by the {c} {t}."],

  // A storm drives a friend to the door.
  storm: ["{hero} had {feast} when a storm came. {storm-blew}\n{talk} {storm-thanks} {end}"],
  "storm-blew": [
    "In came {name:f!h} the {kind:g!k} with {size.a} {color:c} {thing:t}.",
    "It took {finds}, and in came {name:f!h} the {kind:g!k} with {size.a} {color:c} {thing:t}.",
  ],
  "storm-thanks": ["{h} had the {c} {t} for that.", "Then they put the {c} {t} by {many} {good.plural}."],

  // A thing is bought.
  bargain: [
    "{hero} {went} to the fair with {many} {good.plural:x}. There {name:f!h} the {kind:g!k} sold {food:one}, {food!one} and {size.a} {color:c} {thing:t}.\n{talk} {bargain-deal} {end}",
  ],
  "bargain-deal": [
    "So the {x.plural} went for the {c} {t}.",
    "{h.She} {went} to the {spot} with the {c} {t}.",
  ],

  // What is in the bag?
  riddle: ["{hero} {went} home from {town}. {comes}\n{riddle-asked} {riddle-guess} {riddle-answer} {end}"],
  "riddle-asked": [
    '"What is {size} and {color:c}?" said {f} {manner}.',
    '"What is {color:c} and smells of {food:one} and {food!one}?" said {f}.',
  ],
  "riddle-guess": ['"{good.A}? {kind.A}?"', '"{tens}{digit} {good.plural}?" {h.she} said {manner}.'],
  "riddle-answer": ["It was {c.a} {thing}.", "It was {c.a} {thing}, with {many} {good.plural} beside it."],

  // A friend is visited.
  visit: ["{hero} {went} to see {name:f!h} the {kind:g!k}. {walk}\n{talk} {visit-did} {end}"],
  "visit-did": [
    "They {went} to the {spot} and saw {many} {kind.plural}.",
    "They painted the {spot:one} {color:two} and the {spot!one} {color!two}.",
  ],

  // Two friends want the same thing.
  quarrel: [
    "{hero} and {name:f!h} the {kind:g!k} found {size.a} {color:c} {thing:t}.\n{quarrel-talk} {quarrel-sulk} {quarrel-end} {end}",
  ],
  "quarrel-talk": [
    '"I need it for my {good.plural:one} and {good.plural!one}," {h.she} said {manner}.',
    '"You are {mood:one} and {mood!one}," said {f} {manner}.',
  ],
  "quarrel-sulk": [
    "One {went} to the {spot:one} and one {went} to the {spot!one}.",
    "For {many} days they were {mood:one} and {mood!one}.",
  ],
  "quarrel-end": [
    "So {h} had the {c} {t} in {month:one} and {f} in {month!one}.",
    "They sold the {c} {t} for {finds}.",
  ],

  // A letter asks the hero to bring something.
  letter: ["{hero} had a letter.\n{letter-says} {walk} {letter-there} {end}"],
  "letter-says": [
    '"Bring {food:one}, {food!one} and {size.a} {color:c} {thing:t} to the {spot} on the {date} of {month}," wrote {name:f!h} the {kind:g!k}.',
  ],
  "letter-there": [
    "{f} put {many} {good.plural} by the {c} {t}.",
    "{f} took the {c} {t} and gave {h.her} {finds}.",
  ],

  // Two friends build a boat and name it; b is the kind in its name.
  voyage: [
    "{hero} and {name:f!h} the {kind:g!k} made a boat from {finds}. It was the {color.Text:c} {kind.Text:b}.\n{talk} {voyage-saw} {end}",
  ],
  "voyage-saw": [
    "The {c.Text} {b.Text} went to {town} and came home with {many} {kind.plural}.",
    "On the {date} of {month} the {c.Text} {b.Text} came home with {feast}.",
  ],
};
