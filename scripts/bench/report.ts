/** What a section finds: tables for people as it goes, and the same numbers for programs at the end. */

export interface Report {
  /** Words for a person, at once. */
  say(text: string): void;
  /** A competitor that is not measured, and why. */
  leaveOut(name: string, why: string): void;
  /** A competitor whose numbers are not nopeek's: it is not measured, and the program ends with a failure. */
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
