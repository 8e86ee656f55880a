/** What goes between the page and its engine, a worker. Every value can be cloned. */
import type { MaskMode } from "./masks.ts";
import type { Recipe, ShownSettings } from "./settings.ts";

/** A question of the page: the engine answers with the same id. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly request: unknown;
}

export type Reply =
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  /** `message` is for people. */
  | { readonly kind: "refusal"; readonly id: number; readonly message: string }
  | { readonly kind: "event"; readonly event: EngineEvent };

/** What the engine computes with. */
export interface EngineDescription {
  /** "wasm", "reference" */
  readonly backend: string;
  readonly threads: number;
  /** Why it has no more threads, or no WebAssembly; null if nothing is missing. */
  readonly missing: string | null;
}

/** A file that a person brings in, and its path from the chosen folder on: "run/step-000500/state.json". */
export interface GivenFile {
  readonly path: string;
  readonly file: Blob;
}

/** A run that the browser keeps. */
export interface KeptRun {
  readonly id: string;
  /** The name of its text. */
  readonly name: string;
  readonly step: number;
  readonly steps: number;
}

/** A step of training. */
export interface TrainedStep {
  readonly step: number;
  readonly lossNats: number;
  readonly mask: MaskMode;
}

/** A text that the model wrote while it trained, and how well it predicted the validation split then. */
export interface Sample {
  readonly step: number;
  /** The mask that was set. */
  readonly mask: MaskMode;
  readonly text: string;
  /** Validation loss with that mask, in nats per token; an estimate. */
  readonly asTrainedNats: number;
  /** Validation loss with the causal mask, in nats per token; an estimate on the same windows. */
  readonly leftOnlyNats: number;
}

/** The state of the run in training. */
export interface RunState {
  /** The name of its text, which may hold any characters. */
  readonly text: string;
  /** Whether it is a person's own text, not the tales. */
  readonly isOwnText: boolean;
  readonly characters: number;
  readonly contextLength: number;
  readonly stepsDone: number;
  readonly steps: number;
  readonly isTraining: boolean;
  readonly isDone: boolean;
  /** Whether every step so far was made with the causal mask. */
  readonly isPure: boolean;
  readonly parameters: number;
  readonly vocabulary: number;
  /** The entropy of the text, in nats per token; null if it is unknown. */
  readonly floorNats: number | null;
  /** The loss of a uniform guess, in nats per token. */
  readonly blindGuessNats: number;
}

/** The models that section 7 trains: an encoder that fills in blanks, and an encoder–decoder that answers strings. */
export type SideName = "encoder" | "answers";

/** Results of a model on blanks or strings that it was not trained on. */
export interface Measured {
  readonly right: number;
  readonly of: number;
}

/** The state of a model that section 7 trains. */
export interface SideState {
  readonly stepsDone: number;
  readonly steps: number;
  readonly isTraining: boolean;
  /** The loss of the last step, in nats per target; null before the first. */
  readonly lossNats: number | null;
  /** Estimated from the steps so far; null unless it is training. */
  readonly secondsLeft: number | null;
  /** All measurements, oldest first. */
  readonly measured: readonly Measured[];
}

/** One of the two models of the comparison: its losses in nats per token, and a text that it wrote. */
export interface ComparedModel {
  /** Validation loss with the mask that it was trained with. */
  readonly lossNats: number;
  /** Validation loss with the causal mask. */
  readonly leftOnlyNats: number;
  readonly sample: string;
}

/** The comparison of a model that is trained with the mask and one that is trained without it. */
export type ComparisonState =
  | { readonly kind: "running"; readonly step: number; readonly steps: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "done";
      readonly withMask: ComparedModel;
      readonly withoutMask: ComparedModel;
      readonly floorNats: number | null;
      readonly blindGuessNats: number;
      readonly isOwnText: boolean;
      readonly steps: number;
    };

export type EngineEvent =
  | {
      readonly kind: "ready";
      readonly engine: EngineDescription;
      /** What the recipes set. */
      readonly recipes: Readonly<Record<Recipe, ShownSettings>>;
    }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "steps"; readonly steps: readonly TrainedStep[]; readonly tokensPerSecond: number }
  | { readonly kind: "sample"; readonly sample: Sample }
  /** Another run is in training. */
  | {
      readonly kind: "opened";
      readonly run: RunState;
      /** The steps that it has made before. */
      readonly steps: readonly TrainedStep[];
    }
  | { readonly kind: "run"; readonly run: RunState }
  /** What the browser keeps besides the run in training; `problem` says why it keeps nothing. */
  | { readonly kind: "kept"; readonly runs: readonly KeptRun[]; readonly problem: string | null }
  | { readonly kind: "comparison"; readonly state: ComparisonState }
  | { readonly kind: "side"; readonly name: SideName; readonly state: SideState };
