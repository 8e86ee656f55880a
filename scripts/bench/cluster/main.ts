/**
 * Prints the tables of docs/cluster.md.
 *
 *   npx tsx scripts/bench/cluster/main.ts
 */
import { exchangeTable, speedupTable } from "./tables.ts";

process.stdout.write(`${exchangeTable()}\n\n${speedupTable()}\n`);
