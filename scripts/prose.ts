/**
 * Lists phrases that readers should not meet, with replacements: see test/support/prose.ts.
 *
 *   npx tsx scripts/prose.ts [PATHS]      default: everything
 */
import { complaintsUnder } from "../test/support/prose.ts";

const everything = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs",
  "scripts",
  "src",
  "test",
];
const given = process.argv.slice(2).map((path) => path.replace(/\/+$/, ""));
const complaints = complaintsUnder(given.length === 0 ? everything : given);
for (const complaint of complaints) console.log(complaint);
process.exitCode = complaints.length === 0 ? 0 : 1;
