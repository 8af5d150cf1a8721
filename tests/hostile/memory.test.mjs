// Secrets in the memory of the WebAssembly, in Node and in Chromium. `GRIDKEY_ROUNDS` is how many
// rounds of mixed work are done, a fifth of them in Chromium; of the ways in which a flow can fail,
// one in `GRIDKEY_PORTION` is tried, and another one in Chromium.

import { runBoth } from "./both.mjs";

const { GRIDKEY_ROUNDS: rounds = 60, GRIDKEY_PORTION: portion = 5 } = process.env;
await runBoth("memory", { rounds: Number(rounds), portion: Number(portion) }, { rounds: Math.ceil(rounds / 5), offset: 1 });
