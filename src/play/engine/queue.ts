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
