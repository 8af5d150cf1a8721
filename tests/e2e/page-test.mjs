import assert from "node:assert/strict";
import test, { after } from "node:test";

import { LoginPage, closeBrowser } from "./login-page.mjs";
import * as sandbox from "./sandbox.mjs";

after(closeBrowser);

/** A test of the page: from a fresh sandbox and a fresh browser, and without any problem on the way that it does not name. */
export function pageTest(name, body, options = {}) {
  test(name, async () => {
    await sandbox.reset();
    const before = await sandbox.violations();
    const page = await LoginPage.open(options);
    try {
      await body(page);
      assert.deepEqual(page.problems, [], "problems on the page");
      assert.deepEqual((await sandbox.violations()).slice(before.length), [], "traffic that is not the API's");
    } catch (error) {
      console.error(`${name}: ${await page.report()}`);
      throw error;
    } finally {
      await page.close();
    }
  });
}

/** One test for each way in which session keys are delivered. */
export function pageTests(name, body, options = {}) {
  for (const keys of ["sealed", "client-held"]) pageTest(`${name} (${keys})`, body, { ...options, keys });
}
