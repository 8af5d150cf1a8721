// Whatever a page gives, breaks or answers, in Node and in Chromium.

import { runBoth } from "./both.mjs";

await runBoth("hostile", {});
