/** Results of the sections: tables on the terminal as they arrive, and the same numbers as data at the end. */

export interface Report {
  /** Prints text immediately. */
  say(text: string): void;
  /** Reports a competitor that is not measured, and why. */
  leaveOut(name: string, why: string): void;
  /** Reports a competitor whose results differ from nopeek's. It is not measured, and the program fails. */
  reject(name: string, why: string): void;
}

export class TerminalReport implements Report {
  readonly leftOut: { name: string; why: string }[] = [];
  readonly rejected: { name: string; why: string }[] = [];

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  leaveOut(name: string, why: string): void {
    const known = this.leftOut.some((one) => one.name === name && one.why === why);
    if (!known) this.say(`  without ${name}: ${why}`);
    this.leftOut.push({ name, why });
  }

  reject(name: string, why: string): void {
    this.say(`  WRONG: ${name}: ${why}`);
    this.rejected.push({ name, why });
  }
}
