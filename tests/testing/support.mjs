// What the tests of the testing entry share.

import { after, afterEach, before } from "node:test";

import { createGridkey, init } from "../../pkg/node.js";
import { createTestAuthenticator, createTestClock, createTestGrid } from "../../pkg/testing/index.js";

export { failure, thrown } from "../node/failure.mjs";

before(() => init());

const undo = [];
afterEach(() => {
  for (const restore of undo.splice(0).reverse()) restore();
});

// While nothing but a promise is waited for, Node would end.
const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));

export function authenticator(options) {
  const made = createTestAuthenticator(options);
  undo.push(made.restore);
  return made;
}

export function clock(options) {
  const made = createTestClock(options);
  undo.push(made.restore);
  return made;
}

/** A test Grid, and a client of it. */
export async function setUp({ grid: gridOptions, ...options } = {}) {
  const grid = await createTestGrid(gridOptions);
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave, ...options });
  return { grid, gridkey };
}

/** As `setUp`, signed in by an e-mailed code. */
export async function signedIn(options) {
  const all = await setUp(options);
  const { id } = all.grid.addEmailOtp();
  const otp = await all.gridkey.sendOtp({ authMethodId: id });
  const session = await otp.submit(all.grid.lastCode);
  all.grid.calls.length = 0;
  return { ...all, session, emailId: id };
}

/** The calls since the beginning, in short: `operation`, and `.2` after it where it was signed. */
export const steps = ({ calls }) => calls.map(({ operation, leg, status }) => `${operation}${leg === 2 ? ".2" : ""} ${status}`);
