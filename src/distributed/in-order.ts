/** Calls that end in the order in which they were made. */
export class InOrder {
  #last: Promise<void> = Promise.resolve();

  /** Runs `body` when the bodies before it have ended. If one fails, all later calls fail like it. */
  add(body: () => Promise<void>): Promise<void> {
    const ended = this.#last.then(body);
    // A caller that awaits the call gets its error. If no caller does any more, the error must not end the process.
    ended.catch(() => {});
    this.#last = ended;
    return ended;
  }
}
