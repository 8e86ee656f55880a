import type { Settings } from "../config/settings.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { AdamW } from "./adamw.ts";
import { Muon } from "./muon.ts";
import type { LearningRates } from "./schedule.ts";

/** The optimizer of a run: AdamW for all parameters, or Muon for the matrices inside blocks and AdamW for the rest. */
export class Optimizer {
  readonly #adamw: AdamW;
  readonly #muon: Muon;

  /** @param parameters those that it updates */
  constructor(parameters: NamedTensors, settings: Settings) {
    const { forAdamW, forMuon } = divided(parameters, settings);
    this.#adamw = new AdamW(forAdamW, settings);
    const { muonMomentum, muonWeightDecay } = settings;
    this.#muon = new Muon(forMuon, { momentum: muonMomentum, weightDecay: muonWeightDecay });
  }

  /** See `AdamW.step`. */
  async step(update: number, rates: LearningRates, gradientScale: number): Promise<void> {
    this.#adamw.step(update, rates.learningRate, gradientScale);
    await this.#muon.step(rates.muonLearningRate, gradientScale);
  }

  /** The state by name, for a checkpoint. */
  state(): NamedTensors {
    return { ...this.#adamw.state(), ...this.#muon.state() };
  }
}

/** A tensor of an optimizer's state. */
export interface StateEntry {
  readonly name: string;
  /** The parameter that it belongs to. */
  readonly parameter: string;
  readonly shape: readonly number[];
}

/** What the state of an optimizer of these parameters holds, in the order of a checkpoint. Nothing is allocated. */
export function stateLayout(parameters: NamedTensors, settings: Settings): StateEntry[] {
  const { forAdamW, forMuon } = divided(parameters, settings);
  const entry = (parameter: string, name: string) => ({
    name,
    parameter,
    shape: parameters[parameter].shape,
  });
  return [
    ...Object.keys(forAdamW).flatMap((of) => AdamW.stateNames(of).map((name) => entry(of, name))),
    ...Object.keys(forMuon).map((of) => entry(of, Muon.stateName(of))),
  ];
}

/** The parameters that each of the two updates. */
function divided(parameters: NamedTensors, { optimizer }: Settings) {
  const usesMuon = (name: string) => optimizer === "muon" && isBlockMatrix(name, parameters);
  const pick = (wanted: boolean): NamedTensors =>
    Object.fromEntries(Object.entries(parameters).filter(([name]) => usesMuon(name) === wanted));
  return { forAdamW: pick(false), forMuon: pick(true) };
}

/** Embeddings and the head are excluded: they are tables whose rows are looked up or scored one by one. */
function isBlockMatrix(name: string, parameters: NamedTensors): boolean {
  return /(^|\.)blocks\./.test(name) && parameters[name].shape.length === 2;
}
