import { createGridkey } from "gridkey";
import { createTestAuthenticator, createTestClock, createTestGrid } from "gridkey/testing";
import { afterEach, describe, expect, test, vi } from "vitest";

const MINUTE = 60_000;
let authenticator;

async function setUp() {
  authenticator = createTestAuthenticator();
  const grid = await createTestGrid();
  const { id } = await grid.addPasskey({ authenticator });
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave });
  return { grid, gridkey, id };
}

afterEach(() => authenticator?.restore());

/** The same by any clock: `advance` lets time pass. */
function behaves(advance) {
  test("a session ends", async () => {
    const { gridkey, id } = await setUp();
    const session = await gridkey.signInWithPasskey({ authMethodId: id });
    await advance(14 * MINUTE);
    expect(session.isActive).toBe(true);
    await advance(MINUTE);
    expect(session.isActive).toBe(false);
    await expect(session.refresh()).rejects.toMatchObject({ code: "session_expired" });
  });

  test("a challenge is renewed before it runs out", async () => {
    const { grid, gridkey, id } = await setUp();
    const prepared = await gridkey.preparePasskey({ authMethodId: id });
    await advance(4.5 * MINUTE);
    expect(grid.calls).toHaveLength(2);
    // The renewal's answer takes real time, which no fake clock makes pass.
    await expect.poll(() => grid.calls[1].status).toBe(200);
    await prepared.confirm();
    prepared.free();
  });

  test("a prompt stays open, and a request goes unanswered", async () => {
    const { grid, gridkey, id } = await setUp();
    authenticator.delayNext(3000);
    const signedIn = vi.fn();
    const prepared = await gridkey.preparePasskey({ authMethodId: id });
    const confirming = prepared.confirm().then(signedIn);
    await advance(2999);
    expect(signedIn).not.toHaveBeenCalled();
    await advance(1);
    await confirming;
    prepared.free();

    grid.failNext("listAuthCredentials", "hang");
    const listing = expect(gridkey.listAuthMethods({ accountId: grid.accountId })).rejects.toMatchObject({ code: "timeout" });
    await advance(30_000);
    await listing;
  });
}

describe("by Vitest's own fake timers", () => {
  test.beforeEach(() => void vi.useFakeTimers());
  test.afterEach(() => void vi.useRealTimers());
  behaves((milliseconds) => vi.advanceTimersByTimeAsync(milliseconds));

  test("the test clock is not for the same time", () => {
    expect(() => createTestClock()).toThrow(/useRealTimers/);
  });
});

describe("by the test clock", () => {
  let clock;
  test.beforeEach(() => void (clock = createTestClock()));
  test.afterEach(() => clock.restore());
  behaves((milliseconds) => clock.advance(milliseconds));
});
