/** What all sections share: the engine, the mask switch, and which model they look at. */
import type { ModelName } from "../engine/model-names.ts";
import type { MaskMode } from "../masks.ts";
import type { RunState } from "../protocol.ts";
import type { EngineClient } from "./engine-client.ts";

export interface SharedState {
  readonly mask: MaskMode;
  /** The model that sections 2 to 5 look at. */
  readonly model: ModelName;
  /** The run in training; null before it is open. */
  readonly run: RunState | null;
}

export class App {
  readonly engine: EngineClient;
  #state: SharedState;
  readonly #listeners: ((state: SharedState, before: SharedState) => void)[] = [];

  constructor(engine: EngineClient, state: SharedState) {
    this.engine = engine;
    this.#state = state;
  }

  get state(): SharedState {
    return this.#state;
  }

  /** Changes some of the state and notifies the listeners. */
  change(changes: Partial<SharedState>): void {
    const before = this.#state;
    this.#state = { ...before, ...changes };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  onChange(listener: (state: SharedState, before: SharedState) => void): void {
    this.#listeners.push(listener);
  }
}
