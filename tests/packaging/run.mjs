// Builds and runs a project in every environment, with the packed package installed from npm's
// archive, and prints a row for each.
//
//     node tests/packaging/run.mjs [--quick] [NAME…]

import assert from "node:assert/strict";
import { parseArgs } from "node:util";

import { ENVIRONMENTS } from "./environments.mjs";
import { checkOpened, checkStamp, countModules } from "./outcome.mjs";
import { checkPage, modulesOf, row, versionOf } from "./page.mjs";
import { closeBrowser } from "./pages.mjs";
import { pack, prepare } from "./project.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: "boolean", default: false } } });

for (const name of positionals) {
  assert.ok(
    ENVIRONMENTS.some((environment) => environment.name === name),
    `there is no environment ${name}, only ${ENVIRONMENTS.map(({ name }) => name).join(", ")}`,
  );
}
const isChosen = ({ name, isQuick }) => (positionals.length > 0 ? positionals.includes(name) : isQuick || !values.quick);
const chosen = ENVIRONMENTS.filter(isChosen);

await checkPage();
const tarball = await pack();
const failed = [];
console.log(row(["name", "environment", "version", "entry", "signs", "opens", "WebAssembly", "seconds"]));
console.log(`|${"---|".repeat(7)}--:|`);
for (const environment of chosen) {
  const { name, title, entry } = environment;
  const start = performance.now();
  const { stamp, open, modules, errors } = await examine(environment);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(row([name, title, versionOf(environment), entry, stamp, open, modules, seconds]));
  for (const error of errors) console.error(error);
  if (errors.length > 0) failed.push(name);
}
await closeBrowser();
if (failed.length > 0) {
  console.log(`\nFAILED: ${failed.join(", ")}`);
  process.exitCode = 1;
} else {
  console.log(`\n${chosen.length} environments`);
}

/** Runs an environment's project, and says how each of the three checks went. */
async function examine(environment) {
  const { project, run, modules } = environment;
  const result = { stamp: "-", open: "-", modules: "-", errors: [] };
  const check = (column, body) => {
    try {
      result[column] = body() ?? "ok";
    } catch (error) {
      result[column] = "FAILED";
      result.errors.push(error);
    }
  };
  try {
    const { outcomes, outputs } = await run(await prepare(project, tarball));
    check("stamp", () => outcomes.forEach(checkStamp));
    check("open", () => outcomes.forEach(checkOpened));
    check("modules", () => {
      assert.deepEqual(outputs.map(moduleIn), modules);
      return modulesOf(environment);
    });
  } catch (error) {
    result.errors.push(error);
  }
  return result;
}

/** How the module is there, which is never twice. */
function moduleIn(files) {
  const { asFiles, inlined } = countModules(files);
  assert.ok(asFiles + inlined <= 1, `the WebAssembly is there ${asFiles} times as a file and ${inlined} times inlined`);
  if (asFiles) return "file";
  return inlined ? "inlined" : "none";
}
