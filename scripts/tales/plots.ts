/**
 * The plots of the tales and the sentences they are told with. Who and what a tale is about is remembered under the
 * same letter everywhere: h the hero, k its kind, f the friend, g its kind, t the thing, c its colour. What is
 * remembered early comes back late, and is then certain to whoever has read from the start.
 *
 * No tale can be read in two ways: where two alternatives begin alike, what follows tells them apart.
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

  // Where and when, and who: the beginning of a sentence that the plot ends.
  hero: ["{when}, {name:h} the {kind:k}"],
  when: [
    "One {weather} {hour} in {town}",
    "One {weather} {hour} in {month}",
    "After {number} {weather} days in {town}",
    "Between {town} and {town}",
  ],
  town: ["{town-head}{town-tail}"],

  // The hero goes somewhere.
  walk: [
    "{h} {went} past the {spot:one}, the {spot:two!one} and the {spot!one!two}.",
    "{h} saw {finds}.",
    "{h} {went} to the {spot}, and {number} {kind.plural} {went} after {h.her}.",
  ],

  // A friend comes into the tale.
  comes: [
    "By the {spot} {h} met {name:f!h} the {kind:g!k}.",
    "Then {name:f!h} the {kind:g!k} came with {feast}.",
  ],

  // Odds and ends; never the thing of the tale, if that is known by then.
  finds: [
    "{number} {good.plural:one}, {number} {good.plural:two!one} and {number} {good.plural!one!two}",
    "{size.a} {colour} {thing!t} and {number} {good.plural}",
    "{number} {kind.plural} with {size.a} {thing!t}",
  ],
  feast: ["{food:one}, {food:two!one} and {food!one!two}"],

  // What friends say, whatever the tale.
  talk: [
    '"I have {finds}," said {f}.',
    '"It is {weather:one} and {weather!one}," said {h} {manner}.',
    '"You look {mood:one} and {mood!one}," said {f}.',
    '"I dreamed of {good.plural:one} and {good.plural!one}," said {h} {manner}.',
  ],

  end: [
    "They ate {feast}.",
    "{name:one!h!f}, {name:two!h!f!one} and {name!h!f!one!two} came too.",
    'They sang, "{note.Text} {note} {note}, {note} {note} {note}!"',
    "They {went} home, {mood:one} and {mood!one}.",
  ],

  // A thing is lost, and a friend has seen it.
  lost: ["{hero} lost {size.a} {colour:c} {thing:t}. {walk} {comes}\n{lost-talk} {lost-found} {end}"],
  "lost-talk": ['"My {t} is gone," said {h} {manner}.', "{talk}"],
  "lost-found": [
    "They found the {c} {t} by the {spot}, with {number} {good.plural}.",
    "{number.Text} {kind.plural} had the {c} {t}.",
  ],

  // A thing is made for a friend.
  gift: [
    "{hero} made {size.a} {colour:c} {thing:t} for {name:f!h} the {kind:g!k}. {walk}\n{gift-talk} {gift-used} {end}",
  ],
  "gift-talk": ['"Is it {food}?" said {f} {manner}.', "{talk}"],
  "gift-used": ["{f} took the {c} {t} to the {spot}.", "{f} put {number} {good.plural} by the {c} {t}."],

  // A storm drives a friend to the door.
  storm: ["{hero} had {feast} when a storm came. {storm-blew}\n{talk} {storm-thanks} {end}"],
  "storm-blew": [
    "In came {name:f!h} the {kind:g!k} with {size.a} {colour:c} {thing:t}.",
    "Down came the {spot}, and in came {name:f!h} the {kind:g!k} with {size.a} {colour:c} {thing:t}.",
  ],
  "storm-thanks": [
    "By {hour} it was {weather}, and {h} had the {c} {t}.",
    "{f} left the {c} {t} and {number} {good.plural}.",
  ],

  // A thing is bought.
  bargain: [
    "{hero} {went} to the fair with {number} {good.plural:x}. {bargain-stall}\n{bargain-talk} {bargain-deal} {end}",
  ],
  "bargain-stall": ["There {name:f!h} the {kind:g!k} sold {food}, {food} and {size.a} {colour:c} {thing:t}."],
  "bargain-talk": ['"I want {number} {good.plural!x} for the {t}," said {f}.', "{talk}"],
  "bargain-deal": [
    "So {h} had the {c} {t} and {f} had the {x.plural}.",
    "So {f} had the {x.plural}, and {h} {went} to the {spot} with the {c} {t}.",
  ],

  // What is in the bag?
  riddle: ["{hero} {went} home from {town}. {comes}\n{riddle-asked} {riddle-guess} {riddle-answer} {end}"],
  "riddle-asked": [
    '"What is {size} and {colour:c}?" said {f} {manner}.',
    '"What is {colour:c} and smells of {food}?" said {f}.',
  ],
  "riddle-guess": ['"{good.A}?" said {h}. "{kind.A}?"', '"{number.Text} {good.plural}?" said {h} {manner}.'],
  "riddle-answer": [
    "It was {c.a} {thing}.",
    "It was {c.a} {thing}, and {number} {kind.plural} had told {h.her}.",
  ],

  // A friend is visited.
  visit: ["{hero} {went} to see {name:f!h} the {kind:g!k}. {walk}\n{talk} {visit-did} {end}"],
  "visit-did": [
    "{f} and {h} {went} to the {spot} and saw {number} {kind.plural}.",
    "They painted the {spot:one} {colour:two} and the {spot!one} {colour!two}.",
  ],

  // Two friends want the same thing.
  quarrel: [
    "{hero} and {name:f!h} the {kind:g!k} found {size.a} {colour:c} {thing:t}.\n{quarrel-talk} {quarrel-sulk} {quarrel-end} {end}",
  ],
  "quarrel-talk": [
    '"I need it for my {good.plural}," said {h} {manner}. "It is mine," said {f}.',
    '"You are {mood:one}," said {h}. "You are {mood!one}," said {f} {manner}.',
  ],
  "quarrel-sulk": [
    "{h} {went} to the {spot:one} and {f} {went} to the {spot!one}.",
    "For {number} days they were {mood:one} and {mood!one}.",
  ],
  "quarrel-end": [
    "So {h} had the {c} {t} in {month:one} and {f} in {month!one}.",
    "They sold the {c} {t} for {number} {good.plural}.",
  ],

  // A letter asks the hero to bring something.
  letter: ["{hero} had a letter.\n{letter-says} {walk} {letter-there} {end}"],
  "letter-says": [
    '"Bring {food} and {size.a} {colour:c} {thing:t} to the {spot}," said {name:f!h} the {kind:g!k} in it.',
  ],
  "letter-there": [
    "{f} put {number} {good.plural} by the {c} {t}.",
    "{f} took the {c} {t} and gave {h.her} {finds}.",
  ],

  // Two friends build a boat and name it; b is the kind in its name.
  voyage: [
    "{hero} and {name:f!h} the {kind:g!k} made a boat from {finds}. It was the {colour.Text:c} {kind.Text:b}.\n{talk} {voyage-saw} {end}",
  ],
  "voyage-saw": [
    "The {c.Text} {b.Text} went to {town} and to {town}.",
    "In {month} the {c.Text} {b.Text} came home with {number} {kind.plural}.",
  ],
};
