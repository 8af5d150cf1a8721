// The built package against its peers, in both directions, and on what is not as it should be. The last
// line says how much. `INTEROP_ROUNDS` and `INTEROP_COMPARISONS` say how often, `INTEROP_SEED` with which keys.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { init } from "../../pkg/node.js";
import { Dice } from "./dice.mjs";
import { checkReasons, classCount, disagreements, holdAgainstPage, pattern } from "./page.mjs";

const number = (name, otherwise) => Number(process.env[name] || otherwise);
const rounds = number("INTEROP_ROUNDS", 320);
const comparisons = number("INTEROP_COMPARISONS", 4);
const { seed } = new Dice(process.env.INTEROP_SEED || undefined);
console.log(`INTEROP_SEED=${seed}`);

await init();
const found = await disagreements();
checkReasons(found);
holdAgainstPage(found, classCount(new Dice(seed)));

const known = Object.fromEntries([...found].map(([key, difference]) => [key, pattern(difference)]));
const parts = Math.min(2, availableParallelism());
const share = (part) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: { seed, part, parts, rounds, comparisons, known } });
    worker.on("message", resolve).on("error", reject).on("exit", (code) => reject(new Error(`a share ended with ${code}, and no counts`)));
  });
const total = {};
for (const counts of await Promise.all(Array.from({ length: parts }, (_, part) => share(part)))) {
  for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
}
// In one round of two the secret that two keys share is to begin with a zero byte.
assert.ok(total.zeros >= total.messages * 0.49, `${total.zeros} shared secrets of ${total.messages} begin with zeros`);
const told = (count) => count.toLocaleString("en");
const made = ["keys", "signatures", "bundles", "codes", "tokens"].map((name) => `${told(total[name])} ${name}`).join(", ");
console.log(`${made}: 0 disagreements; ${told(total.texts)} altered texts: ${found.size} known differences, no others`);
