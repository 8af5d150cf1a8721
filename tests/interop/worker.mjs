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
counts.texts = 0;
for (let number = part; number < comparisons; number += parts) {
  const seen = new Set();
  const { texts, unchanged } = await compare(dice, (found) => {
    const key = `${found.kind} / ${found.name}`;
    assert.equal(pattern(found), known[key], `${key} is not as on the page: ${found.text}`);
    seen.add(key);
  });
  for (const key of Object.keys(known)) assert.ok(seen.has(key) || unchanged.includes(key), `${key}: no difference, but on the page there is one`);
  counts.texts += texts;
}
parentPort.postMessage(counts);
