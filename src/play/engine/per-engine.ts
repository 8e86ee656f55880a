/** Values that belong to an engine and are loaded after it: as its fields, they would delay training. */
import type { Engine } from "./engine.ts";

/** Makes a value for an engine when it is first asked for. */
export function perEngine<Value>(make: (engine: Engine) => Value): (engine: Engine) => Value {
  const values = new WeakMap<Engine, { readonly value: Value }>();
  return (engine) => {
    const found = values.get(engine) ?? { value: make(engine) };
    values.set(engine, found);
    return found.value;
  };
}
