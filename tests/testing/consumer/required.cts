// The same of CommonJS. It is compiled, not run.

import gridkey = require("gridkey");
import testing = require("gridkey/testing");

export async function client(): Promise<[gridkey.Gridkey, testing.TestGrid]> {
  const grid = await testing.createTestGrid();
  // @ts-expect-error: there is no such option
  await testing.createTestGrid({ account: "InternalAccount:1" });
  return [gridkey.createGridkey({ transport: grid.transport, enclave: grid.enclave }), grid];
}
