/** The page's side of the engine: asks questions and hears events. */
import type { AnswerOf, QuestionName, RequestOf } from "../engine/questions.ts";
import type { EngineEvent, Question, Reply } from "../protocol.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** The engine refused: the message is for people. */
export class Refusal extends Error {}

export class EngineClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners: ((event: EngineEvent) => void)[] = [];
  #asked = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.#hear(data));
    worker.addEventListener("error", ({ message }) =>
      this.#tell({ kind: "failed", message: message || "the engine could not be loaded: reload the page" }),
    );
  }

  /** @throws Refusal with a sentence for the reader of the page */
  ask<Name extends QuestionName>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    const id = this.#asked++;
    const question: Question = { id, name, request };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(question);
    });
  }

  onEvent(listener: (event: EngineEvent) => void): void {
    this.#listeners.push(listener);
  }

  #hear(reply: Reply): void {
    if (reply.kind === "event") {
      this.#tell(reply.event);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === "answer") waiting?.resolve(reply.answer as never);
    else waiting?.reject(new Refusal(reply.message));
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
