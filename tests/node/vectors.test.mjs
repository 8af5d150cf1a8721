// The published vectors through the built package, and that no file of them is left out by everybody.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import * as gridkey from "../../pkg/node.js";
import { covered, count } from "../vectors-package/index.mjs";
import { run } from "../vectors-package/run.js";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const vectors = (file) => JSON.parse(read(`tests/vectors/${file}`));

test("every file of vectors is in the index, with its cases and with a test that reads it", () => {
  const files = readdirSync(new URL("tests/vectors/", ROOT)).filter((file) => file !== "INDEX.md");
  const rows = covered();
  assert.deepEqual(rows.map(({ file }) => file).sort(), files.sort());
  for (const { file, cases, by } of rows) {
    assert.equal(count(vectors(file)), cases, file);
    const source = read(by);
    const path = by.startsWith("tests/") ? "vectors" : `${"../".repeat(by.split("/").length - 1)}tests/vectors`;
    const reads = source.split("include_str!(").some((rest) => rest.trimStart().startsWith(`"${path}/${file}"`));
    assert.ok(reads, `${by} does not read ${file}`);
    // In WebAssembly as well, in Node and in browsers: with nothing said, both.
    assert.match(source, /use wasm_bindgen_test::wasm_bindgen_test as test;/, by);
    assert.doesNotMatch(source, /wasm_bindgen_test_configure/, by);
  }
});

test("the package does what the published vectors say", async (t) => {
  await gridkey.init();
  const ran = await run(gridkey, async (file) => vectors(file));
  assert.deepEqual(
    ran,
    Object.fromEntries(covered().filter((row) => row.inPackage > 0).map(({ file, inPackage }) => [file, inPackage])),
  );
  t.diagnostic(`${Object.values(ran).reduce((sum, cases) => sum + cases)} vectors of ${Object.keys(ran).length} files`);
});

test("where the package runs no case of a file, the index says why", () => {
  const none = covered().filter(({ inPackage }) => inPackage === 0);
  assert.ok(none.length > 0);
  for (const { file, why } of none) assert.ok(why.length > 10, file);
});
