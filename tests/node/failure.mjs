import assert from "node:assert/strict";

import { isGridkeyError } from "../../pkg/node.js";

/** The error that a function throws or a promise is rejected with, which must be of this code. */
export async function failure(code, run) {
  let result;
  try {
    result = await (typeof run === "function" ? run() : run);
  } catch (error) {
    assert.ok(isGridkeyError(error), `${error?.stack ?? error}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error instanceof Error && error.stack.includes(error.message));
    return error;
  }
  assert.fail(`no ${code}, but ${JSON.stringify(result)}`);
}

/** As `failure`, of a function that must throw at once. */
export function thrown(code, run) {
  let result;
  try {
    result = run();
  } catch (error) {
    assert.ok(isGridkeyError(error), `${error?.stack ?? error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`no ${code}, but ${String(result)}`);
}
