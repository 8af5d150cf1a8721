// A share of a run, on a processor of its own.

import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";

import { init } from "../../pkg/node.js";
import { Agreement } from "./agree.mjs";
import { Dice } from "./dice.mjs";
import { pattern } from "./page.mjs";
import { compare } from "./verdicts.mjs";

const { seed, part, parts, rounds, comparisons, known } = workerData;

await init();
const dice = new Dice(`${seed} ${part}`);
dice.fillsGetRandomValues();
const agreement = new Agreement(dice, part, parts);
const counts = agreement.counts;
const own = Math.max(agreement.least, Math.ceil(rounds / parts));
for (let round = 0; round < own; round++) await agreement.round();
Object.assign(counts, { texts: 0, refused: 0 });
for (let number = part; number < comparisons; number += parts) {
  const { texts, refused } = await compare(dice, (found) => {
    const key = `${found.kind} / ${found.name}`;
    assert.equal(pattern(found), known[key], `${key} is not as on the page: ${found.text}`);
  });
  counts.texts += texts;
  counts.refused += refused;
}
parentPort.postMessage(counts);
