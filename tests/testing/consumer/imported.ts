// What a customer's TypeScript sees in gridkey/testing. It is compiled, not run.

import { createGridkey, type AuthMethod, type GridCall, type GridReply } from "gridkey";
import {
  createTestAuthenticator,
  createTestClock,
  createTestGrid,
  type TestFailure,
  type TestGrid,
  type TestOperation,
  type TestPromptFailure,
  type TestSession,
} from "gridkey/testing";

export async function flow(): Promise<TestSession | undefined> {
  const authenticator = createTestAuthenticator({ origin: "https://wallet.example" });
  const clock = createTestClock({ now: new Date(0) });
  const grid: TestGrid = await createTestGrid({ rpId: "wallet.example", sessionLifeMs: 60_000, now: () => clock.now });
  const passkey: AuthMethod = await grid.addPasskey({ authenticator, nickname: "Laptop" });
  const gridkey = createGridkey({ transport: grid.transport, enclave: grid.enclave });
  const transport = async (call: GridCall): Promise<GridReply> => grid.transport(call);
  createGridkey({ transport, enclave: grid.enclave });

  const operation: TestOperation = "signedRequest";
  const failures: TestFailure[] = ["network", "hang", { status: 401 }, { status: 429, code: "RATE_LIMITED", retryAfterMs: 1 }];
  for (const failure of failures) grid.failNext(operation, failure, { times: 3, leg: 2 });
  // @ts-expect-error: no operation
  grid.failNext("listAuthMethods", "network");
  // @ts-expect-error: no failure
  grid.failNext("listAuthCredentials", "timeout");
  // @ts-expect-error: there is no third leg
  grid.failNext("listAuthCredentials", "network", { leg: 3 });
  // @ts-expect-error: the code may not be there
  const code: string = grid.lastCode;
  // @ts-expect-error: no such exception
  authenticator.failNext("Error");
  const name: TestPromptFailure = "SecurityError";
  authenticator.failNext(name);
  // @ts-expect-error: it is counted here and not by the test
  authenticator.prompts.get = 0;

  await clock.advance(1000);
  const otp = await gridkey.sendOtp({ authMethodId: passkey.id });
  await otp.submit(grid.lastCode ?? code);
  grid.calls.length = 0;
  clock.restore();
  authenticator.restore();
  return grid.sessions.find(({ active }) => active);
}
