/** Runs tasks one at a time, in order: a model's tape and scopes belong to one computation at a time. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task after all earlier ones, whether they succeed or fail. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** The turns of a long task in a queue: between them, other tasks run. */
export class Turns {
  readonly #queue: Queue;
  #end: (() => void) | null = null;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** Waits for the tasks before. Until `give`, no other task runs. */
  take(): Promise<void> {
    return new Promise((begin) => {
      void this.#queue.run(
        () =>
          new Promise<void>((end) => {
            this.#end = end;
            begin();
          }),
      );
    });
  }

  /** Lets other tasks run. */
  give(): void {
    this.#end?.();
    this.#end = null;
  }
}
