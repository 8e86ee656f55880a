import { Random, type RandomState } from "../../random.ts";
import type { Buffer } from "../backend.ts";
import { numbersOf } from "./buffer.ts";

/** y[i] = deviation·z + 0, with the generator's next normal number z. */
export function fillNormal(y: Buffer, deviation: number, state: RandomState): RandomState {
  const numbers = numbersOf(y);
  const random = Random.from(state);
  // With deviation 0, negative numbers become −0; adding 0 makes them 0.
  for (let i = 0; i < numbers.length; i++) numbers[i] = deviation * random.normal() + 0;
  return random.state();
}
