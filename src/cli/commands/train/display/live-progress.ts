/** The live display of a training run, at the bottom of the terminal. Messages scroll above it. */
import type { Reference } from "../../../terminal/chart.ts";
import { emphasize } from "../../../terminal/emphasis.ts";
import { LiveRegion, type Screen } from "../../../terminal/live-region.ts";
import { noteText } from "../../../terminal/output.ts";
import { renderSpans } from "../../../terminal/styled.ts";
import type { Progress, StepProgress } from "../progress.ts";
import { Curve } from "./curve.ts";
import { drawFrame, type View } from "./frame.ts";

/** Drawing takes a millisecond or two; more often than this it is too fast to read. */
const REDRAW_MS = 250;

export interface LiveScreen extends Screen {
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

export interface LiveOptions {
  readonly screen: LiveScreen;
  readonly color: boolean;
  readonly ascii: boolean;
  /** See `LiveRegion`. */
  readonly sinks: boolean;
  readonly steps: number;
  /** The loss to compare with. */
  readonly reference: Reference;
  /** A validation loss in bits per byte; null if there is no text. */
  readonly bitsPerByte: (lossNats: number) => number | null;
  /** The losses of a resumed run until now. */
  readonly before: Pick<View, "training" | "validation" | "estimates">;
  readonly now: () => number;
  readonly memoryBytes: () => number;
}

export class LiveProgress implements Progress {
  readonly #options: LiveOptions;
  readonly #region: LiveRegion;
  readonly #training = new Curve();
  readonly #validation = new Curve();
  readonly #estimates = new Curve();
  readonly #startMs: number;
  #live = false;
  #latest: StepProgress | null = null;
  #step: number;
  #busy: string | null = null;
  #sample: View["sample"] = null;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(options: LiveOptions) {
    const { screen, sinks, before, now } = options;
    this.#options = options;
    this.#region = new LiveRegion(screen, sinks);
    for (const [step, loss] of before.training) this.#training.add(step, loss);
    for (const [step, loss] of before.validation) this.#validation.add(step, loss);
    for (const [step, loss] of before.estimates) this.#estimates.add(step, loss);
    this.#step = before.training.at(-1)?.[0] ?? 0;
    this.#startMs = now();
  }

  note(line = ""): void {
    const { color, screen } = this.#options;
    const lines = noteText(line, color, screen.columns || undefined).split("\n");
    this.#region.print(lines.map((each) => renderSpans(emphasize(each), color)).join("\n"));
  }

  detail(): void {}

  begin(): void {
    this.#live = true;
    this.#options.screen.on("resize", this.#resized);
    this.#draw();
  }

  stepped(step: StepProgress): void {
    this.#latest = step;
    this.#step = step.step;
    this.#training.add(step.step, step.lossNats);
    if (this.#options.now() - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = this.#options.now();
    // In the next turn the stream knows a new size of the terminal.
    setImmediate(() => this.#draw());
  }

  evaluated(step: number, lossNats: number, kind: "evaluation" | "estimate"): void {
    (kind === "estimate" ? this.#estimates : this.#validation).add(step, lossNats);
  }

  busy(activity: string | null): void {
    this.#busy = activity;
    this.#draw();
  }

  sampled(step: number, text: string): void {
    this.#sample = { step, text };
    this.#draw();
  }

  end(): void {
    if (!this.#live) return;
    this.#busy = null;
    this.#draw(true);
    this.#live = false;
    this.#options.screen.off("resize", this.#resized);
    this.#region.rest();
  }

  /** Releases the terminal for a while, as when the program is suspended. */
  pause(): void {
    this.#region.rest();
  }

  resume(): void {
    this.#draw();
  }

  readonly #resized = (): void => {
    this.#draw(false, true);
  };

  #draw(over = false, afresh = false): void {
    if (!this.#live) return;
    const { color, ascii, now } = this.#options;
    this.#drawnMs = now();
    const lines = drawFrame(this.#view(over), { ...this.#region.size, color, ascii });
    this.#region.draw(lines, afresh);
  }

  #view(over: boolean): View {
    const { steps, reference, bitsPerByte, now, memoryBytes } = this.#options;
    const validation = this.#validation.points();
    const measured = validation.at(-1);
    return {
      step: this.#step,
      steps,
      training: this.#training.points(),
      validation,
      estimates: this.#estimates.points(),
      bitsPerByte: measured === undefined ? null : bitsPerByte(measured[1]),
      reference,
      latest: this.#latest,
      elapsedMs: now() - this.#startMs,
      memoryBytes: memoryBytes(),
      busy: this.#busy,
      sample: this.#sample,
      over,
    };
  }
}
