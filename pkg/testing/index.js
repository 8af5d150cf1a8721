// For tests of pages that are built on gridkey: a Grid, an authenticator and a clock that do as they
// are told. Nothing of the package imports this, so no page carries it.

export { createTestAuthenticator } from "./authenticator.js";
export { createTestClock } from "./clock.js";
export { createTestGrid } from "./grid.js";
