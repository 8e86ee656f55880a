import type { Settings } from "../config/settings.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { AdamW } from "./adamw.ts";
import { Muon } from "./muon.ts";
import type { LearningRates } from "./schedule.ts";

/** The optimizer of a run: AdamW for all parameters, or Muon for the matrices inside blocks and AdamW for the rest. */
export class Optimizer {
  readonly #adamw: AdamW;
  readonly #muon: Muon;

  constructor(parameters: NamedTensors, settings: Settings) {
    const usesMuon = (name: string) => settings.optimizer === "muon" && isBlockMatrix(name, parameters);
    const pick = (wanted: boolean) =>
      Object.fromEntries(Object.entries(parameters).filter(([name]) => usesMuon(name) === wanted));
    this.#adamw = new AdamW(pick(false), settings);
    const { muonMomentum, muonWeightDecay } = settings;
    this.#muon = new Muon(pick(true), { momentum: muonMomentum, weightDecay: muonWeightDecay });
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

/** Embeddings and the head are excluded: they are tables whose rows are looked up or scored one by one. */
function isBlockMatrix(name: string, parameters: NamedTensors): boolean {
  return /(^|\.)blocks\./.test(name) && parameters[name].shape.length === 2;
}
