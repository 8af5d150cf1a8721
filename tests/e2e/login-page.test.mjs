// One file for Node's test runner, and so one after the other: the tests share a sandbox.

import "./journey.mjs";
import "./setbacks.mjs";
import "./wallet.mjs";
import "./providers.mjs";
import "./payments.mjs";
import "./lies.mjs";
import "./accessibility.mjs";
