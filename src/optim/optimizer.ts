/** The optimizer of a run: AdamW for every parameter, or Muon for the matrices inside the blocks and AdamW for the rest. */

import type { Settings } from "../config/settings.ts";
import type { NamedTensors } from "../nn/parameters.ts";
import { AdamW } from "./adamw.ts";
import { Muon } from "./muon.ts";

export class Optimizer {
  readonly #adamw: AdamW;
  readonly #muon: Muon;
  /** Muon's learning rate, as a multiple of AdamW's: both follow one schedule. */
  readonly #muonRatio: number;

  constructor(parameters: NamedTensors, settings: Settings) {
    const isMuons = (name: string) => settings.optimizer === "muon" && isBlockMatrix(name, parameters);
    const pick = (wanted: boolean) =>
      Object.fromEntries(Object.entries(parameters).filter(([name]) => isMuons(name) === wanted));
    this.#adamw = new AdamW(pick(false), settings);
    // Orthogonal updates keep the matrices in bounds by themselves; decay is AdamW's alone.
    this.#muon = new Muon(pick(true), { momentum: settings.muonMomentum, weightDecay: 0 });
    this.#muonRatio = settings.learningRate === 0 ? 0 : settings.muonLearningRate / settings.learningRate;
  }

  /** See `AdamW.step`. */
  async step(update: number, learningRate: number, gradientScale: number): Promise<void> {
    this.#adamw.step(update, learningRate, gradientScale);
    await this.#muon.step(learningRate * this.#muonRatio, gradientScale);
  }

  /** What a checkpoint keeps, by name. */
  state(): NamedTensors {
    return { ...this.#adamw.state(), ...this.#muon.state() };
  }
}

/** Embeddings and the head are matrices too, but tables: their rows are looked up or scored one by one. */
function isBlockMatrix(name: string, parameters: NamedTensors): boolean {
  return /(^|\.)blocks\./.test(name) && parameters[name].shape.length === 2;
}
