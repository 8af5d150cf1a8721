// The test clock: time that passes when it is told to, and what gridkey does by it.

import assert from "node:assert/strict";
import test from "node:test";

import { createTestClock } from "../../pkg/testing/index.js";
import { authenticator, clock, failure, setUp, signedIn, thrown } from "./support.mjs";

const REAL = { Date, setTimeout, clearTimeout, setInterval, clearInterval };

test("time passes when it is told to", async () => {
  const time = clock({ now: "2030-01-01T00:00:00Z" });
  assert.equal(time.now, REAL.Date.UTC(2030, 0, 1));
  assert.equal(Date.now(), time.now);
  assert.equal(new Date().toISOString(), "2030-01-01T00:00:00.000Z");
  assert.equal(new Date(0).getTime(), 0);
  assert.equal(Date.UTC(1970, 0, 1), 0);
  assert.ok(new Date() instanceof REAL.Date && new REAL.Date() instanceof Date);
  assert.match(Date(), /2030|2029/);

  const log = [];
  const at = (name) => () => log.push([name, Date.now() - time.now === 0, time.now - REAL.Date.UTC(2030, 0, 1)]);
  setTimeout(at("late"), 50);
  setTimeout(at("early"), 10);
  setTimeout(at("none"));
  const cleared = setTimeout(at("cleared"), 10);
  clearTimeout(cleared);
  clearTimeout(undefined);
  const interval = setInterval(at("tick"), 20);
  setTimeout((a, b) => log.push([a + b]), 15, "a", "b");
  assert.equal(time.timers, 5);
  await time.advance(50);
  assert.deepEqual(log, [["none", true, 0], ["early", true, 10], ["ab"], ["tick", true, 20], ["tick", true, 40], ["late", true, 50]]);
  clearInterval(interval);
  await time.advance(1000);
  assert.equal(log.length, 6);
  assert.equal(time.timers, 0);
  assert.equal(time.now, REAL.Date.UTC(2030, 0, 1) + 1050);
});

test("what a timer sets off comes to its end before the next one", async () => {
  const time = clock();
  const { grid, gridkey } = await setUp();
  const { id } = grid.addEmailOtp();
  const log = [];
  setTimeout(async () => {
    // The answer takes real time: keys are made and a bundle is signed.
    await gridkey.sendOtp({ authMethodId: id });
    setTimeout(() => log.push("after the answer"), 5);
  }, 5);
  setTimeout(() => log.push("later"), 11);
  await time.advance(11);
  assert.deepEqual(log, ["after the answer", "later"]);
});

test("real time comes back, and refuses what is wrong", async () => {
  const first = createTestClock();
  setTimeout(() => assert.fail("went off"), 1);
  assert.notEqual(Date, REAL.Date);
  thrown("invalid_argument", () => createTestClock());
  await failure("invalid_argument", first.advance(-1));
  await failure("invalid_argument", first.advance());
  first.restore();
  first.restore();
  for (const name of Object.keys(REAL)) assert.equal(globalThis[name], REAL[name], name);
  thrown("invalid_argument", () => createTestClock({ now: "tomorrow" }));
  const again = createTestClock({ now: new Date(5) });
  first.restore();
  assert.equal(Date.now(), 5);
  if (Symbol.dispose) again[Symbol.dispose]();
  else again.restore();
  await new Promise((resolve) => setTimeout(resolve, 20));
  // An exception of the page's own is the test's to see.
  const time = clock();
  setTimeout(() => {
    throw new RangeError("mine");
  }, 1);
  await assert.rejects(time.advance(1), RangeError);
});

test("a timer that always sets another one is found out", async () => {
  const time = clock();
  let runs = 0;
  const again = () => void (++runs < 200_000 && setTimeout(again, 0));
  again();
  const settled = failure("invalid_argument", time.advance(0));
  assert.match((await settled).message, /sets itself anew/);
});

test("a session is not used in its last half minute", async () => {
  const time = clock();
  const { grid, gridkey, session } = await signedIn();
  await time.advance(14 * 60_000);
  assert.equal(session.isActive, true);
  await session.refresh();
  await time.advance(14 * 60_000 + 29_000);
  assert.equal(session.isActive, true);
  await time.advance(1000);
  assert.equal(session.isActive, false);
  assert.equal(grid.sessions.at(-1).active, true);
  await failure("session_expired", session.refresh());
  assert.equal(gridkey.state.status, "signedOut");
});

test("a challenge is renewed before it runs out", async () => {
  const time = clock();
  const { grid, gridkey } = await setUp();
  const device = authenticator();
  const { id } = await grid.addPasskey({ authenticator: device });
  const prepared = await gridkey.preparePasskey({ authMethodId: id });
  const { expiresAt } = prepared;
  await time.advance(4 * 60_000 + 29_000);
  assert.equal(grid.calls.length, 1);
  await time.advance(1000);
  assert.equal(grid.calls.length, 2);
  assert.ok(prepared.expiresAt > expiresAt);
  await time.advance(10 * 60_000);
  await prepared.confirm();
  assert.equal(grid.sessions.length, 1);
  prepared.free();
});

test("a code runs out", async () => {
  const time = clock();
  const { grid, gridkey } = await setUp({ grid: { otpLifeMs: 60_000 } });
  const otp = await gridkey.sendOtp({ authMethodId: grid.addEmailOtp().id });
  await time.advance(59_999);
  assert.equal((await failure("otp_rejected", otp.submit("999999"))).reason, "OTP_CODE_WRONG");
  await time.advance(1);
  await failure("otp_expired", otp.submit(grid.lastCode));
});

test("repetitions and time limits go by it", async () => {
  const time = clock();
  const { grid, gridkey } = await setUp();
  grid.failNext("listAuthCredentials", "network", { times: 3 });
  const outcome = failure("network", gridkey.listAuthMethods({ accountId: grid.accountId }));
  await time.advance(0);
  assert.equal(grid.calls.length, 1);
  await time.advance(20_000);
  assert.equal(grid.calls.length, 3);
  await outcome;
  grid.failNext("listAuthCredentials", "hang");
  const hanging = failure("timeout", gridkey.listAuthMethods({ accountId: grid.accountId, timeoutMs: 10_000 }));
  await time.advance(10_000);
  await hanging;
});

test("it does not go with another fake clock", () => {
  // As Vitest and Jest mark theirs.
  globalThis.setTimeout = Object.assign((...args) => REAL.setTimeout(...args), { clock: {} });
  try {
    assert.match(thrown("invalid_argument", () => createTestClock()).message, /useRealTimers/);
  } finally {
    globalThis.setTimeout = REAL.setTimeout;
  }
});
