import { describe, expect, it } from "vitest";
import { LiveRegion } from "../../../src/cli/terminal/live-region.ts";

/** What is written to a terminal of so many columns, which may change. */
function screenOf(columns: number) {
  const screen = {
    columns,
    rows: 24,
    written: "",
    write(text: string) {
      screen.written += text;
    },
  };
  return screen;
}

describe("a terminal that got narrower", () => {
  const lines = ["x".repeat(45), "y".repeat(10), "z".repeat(21)];

  it.each([
    [true, 20, "\x1b[3A\x1b[J"],
    [true, 40, "\x1b[1A\x1b[J"],
    [false, 20, "\r\x1b[J"],
  ])("where lines that break move the cursor (%s), at %i columns", (sinks, columns, erased) => {
    const screen = screenOf(60);
    const region = new LiveRegion(screen, sinks);
    region.draw(lines);
    screen.columns = columns;
    screen.written = "";
    region.draw(["new"], true);
    expect(screen.written).toContain(`\r${erased.replace("\r", "")}new`);
  });

  it("is erased less, rather than what was printed above, where its height changed too", () => {
    const screen = screenOf(60);
    const region = new LiveRegion(screen, true);
    region.draw(lines);
    Object.assign(screen, { columns: 20, rows: 30, written: "" });
    region.draw(["new"], true);
    expect(screen.written).toContain("\r\x1b[Jnew");
  });
});
