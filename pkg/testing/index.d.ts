/// <reference lib="esnext.disposable" />

import type { AuthMethod, AuthMethodType, GridCall, GridOperations, GridReply } from "../index.js";

/**
 * A Grid with its relay, in memory, for tests. It speaks the real protocol with real cryptography
 * and refuses what Grid refuses: a wrong code, a stamp by another key, what was used before, what
 * ran out. It has one account, and what a login page and a settings page use; other operations are
 * refused with `unsupported_operation`. It limits no rates and makes no mistakes unless it is told to.
 *
 * @throws {GridkeyError} `invalid_argument`
 */
export function createTestGrid(options?: TestGridOptions): Promise<TestGrid>;

/** What a test Grid is made with, where it differs from the default. */
export interface TestGridOptions {
  /** The account. Always the same one unless given. */
  accountId?: string;
  /** The agent that device codes are for. */
  agentId?: string;
  /** The account's organization, which stands in what is signed. Give another `accountId` with it: gridkey remembers which organization an account has. */
  organizationId?: string;
  /** Where e-mailed codes go: `jane@example.com`. */
  email?: string;
  /** Where codes by SMS go: `+14155550123`. */
  phoneNumber?: string;
  /** The relying party of passkeys. The page's own domain unless given, and `localhost` where there is no page. */
  rpId?: string;
  /** How long a session lives, in milliseconds. 15 minutes unless given. */
  sessionLifeMs?: number;
  /** How long a challenge is good, in milliseconds. 5 minutes unless given. */
  challengeLifeMs?: number;
  /** How long a one-time code is good, in milliseconds. 5 minutes unless given. */
  otpLifeMs?: number;
  /** The server's time, in milliseconds since 1970. `Date.now()`, also a fake one, unless given. */
  now?: () => number;
}

/** The Grid of {@link createTestGrid}. */
export interface TestGrid {
  /** For `createGridkey({ transport })`. */
  readonly transport: (call: GridCall) => Promise<GridReply>;
  /** For `createGridkey({ enclave })`: whose signatures are to be believed. Fresh keys in each test Grid. */
  readonly enclave: { dangerouslyTrust: { otp: string; export: string } };
  /** The account. */
  readonly accountId: string;
  /** The agent that device codes are for. */
  readonly agentId: string;
  /** The account's organization. A first export of the mnemonic asks for it. */
  readonly organizationId: string;

  /**
   * Gives the account a passkey, which `authenticator` holds. Without one, another device does, and
   * prompts end as if nobody had a fitting passkey.
   *
   * @throws {GridkeyError} `invalid_argument`
   */
  addPasskey(passkey?: { authenticator?: TestAuthenticator; nickname?: string }): Promise<AuthMethod>;
  /**
   * Gives the account its e-mail credential.
   *
   * @throws {GridkeyError} `invalid_argument` if it has one
   */
  addEmailOtp(): AuthMethod;
  /**
   * Gives the account its SMS credential.
   *
   * @throws {GridkeyError} `invalid_argument` if it has one
   */
  addSmsOtp(): AuthMethod;
  /** Gives the account a credential of an identity provider's, whose tokens {@link TestGrid.idToken} makes. */
  addOAuth(identity?: TestIdentity): AuthMethod;
  /** A fresh ID token, as the identity provider sends one. `nonce` is that of the sign-in; a credential is added by a token without. */
  idToken(claims?: TestIdentity & { nonce?: string }): Promise<string>;

  /** The account's credentials. */
  readonly authMethods: readonly AuthMethod[];
  /** The one-time code that was sent last. It begins with a zero, and is never `000000`. */
  readonly lastCode: string | undefined;
  /** All sessions that were opened, ended ones too, but for those of a credential that was removed. */
  readonly sessions: readonly TestSession[];
  /** All requests so far, each as it was when it came; `calls.length = 0` forgets them. */
  readonly calls: TestCall[];

  /**
   * Has the next request of this operation fail: as Grid with `{ status, code }`, as the platform
   * with a `status` alone, with `"network"` by no answer, and with `"hang"` by none until the caller
   * gives up.
   *
   * gridkey repeats by itself, at most twice, what does no harm and fails without an answer, by a
   * server's fault or with a short `retryAfterMs`: `times: 3` has such a call fail. `leg: 2` waits
   * for the signed request.
   *
   * @throws {GridkeyError} `invalid_argument`
   */
  failNext(operation: TestOperation, failure: TestFailure, options?: { times?: number; leg?: 1 | 2 }): void;
  /** Has all codes, challenges and signed requests run out that are under way. */
  expireChallenges(): void;
  /** Has all sessions run out, at Grid alone. */
  expireSessions(): void;
}

/** An operation by Grid's name of it; `signedRequest` is any that gridkey does not know. */
export type TestOperation = keyof GridOperations | "signedRequest";

/** How a request is to fail. Without a `code` the answer is the platform's own and not Grid's: 401 is then its own login that lapsed. */
export type TestFailure =
  | "network"
  | "hang"
  | {
      /** The HTTP status, from 400 to 599. */
      status: number;
      /** `code` of Grid's error body. */
      code?: string;
      /** `message` of Grid's error body. */
      message?: string;
      /** `details` of Grid's error body; `details.reason` is the error's `reason`. */
      details?: Record<string, unknown>;
      /** As by the header `Retry-After`, in milliseconds. */
      retryAfterMs?: number;
      /** The body, where there is no `code`. */
      body?: unknown;
    };

/** Who somebody is at the identity provider. */
export interface TestIdentity {
  /** The provider's id of the person: `1` unless given. */
  subject?: string;
  /** The platform's id at the provider: `client-1` unless given. */
  clientId?: string;
  /** The person's e-mail address, which becomes the credential's name. */
  email?: string;
}

/** A session at the test Grid. */
export interface TestSession {
  /** The session's id. */
  readonly id: string;
  /** The credential that it was opened with. */
  readonly authMethodId: string;
  /** The kind of that credential. */
  readonly type: AuthMethodType;
  /** The key that stamps: SEC1 compressed, 66 hexadecimal digits. */
  readonly publicKey: string;
  /** Whether Grid made the key and sealed it; otherwise the page made it. */
  readonly sealed: boolean;
  /** Neither run out nor revoked. */
  readonly active: boolean;
  /** Whether it was revoked. */
  readonly revoked: boolean;
  /** When it ends, or ended. */
  readonly expiresAt: Date;
}

/** A request that came. */
export interface TestCall {
  /** Grid's name of the operation. */
  readonly operation: string;
  /** 2 if it is signed. */
  readonly leg: 1 | 2;
  /** What stands in path and query. */
  readonly params: Readonly<Record<string, string>>;
  /** The body, read. */
  readonly body: unknown;
  /** How it was answered; undefined while it is not, and where it got no answer. */
  readonly status: number | undefined;
}

/**
 * An authenticator that does as it is told, in the place of `navigator.credentials`, also where
 * there is none, as in Node and jsdom. Its keys and answers are real; its prompts are confirmed at
 * once, by somebody who is verified, unless it is told otherwise. One at a time: end it by
 * `restore()` or `using`.
 *
 * @throws {GridkeyError} `invalid_argument`
 */
export function createTestAuthenticator(options?: TestAuthenticatorOptions): TestAuthenticator;

/** What a test authenticator is made with, where it differs from the default. */
export interface TestAuthenticatorOptions {
  /** The page's origin. That of `location` unless given, and `http://localhost` where there is no page. */
  origin?: string;
}

/** The authenticator of {@link createTestAuthenticator}. */
export interface TestAuthenticator {
  /** How many prompts have opened. */
  readonly prompts: { readonly create: number; readonly get: number };
  /** The passkeys that it holds. */
  readonly passkeys: readonly TestPasskey[];
  /** Takes a passkey off the device; Grid goes on knowing it. */
  removePasskey(credentialId: string): void;
  /** Has the person close the next prompt: it fails with `NotAllowedError`. */
  cancelNext(): void;
  /**
   * Has the next prompt fail with an exception of this name.
   *
   * @throws {GridkeyError} `invalid_argument` if no prompt fails so
   */
  failNext(name: TestPromptFailure): void;
  /** Has the next prompt stay open for so long; `Infinity` until it is closed or times out. */
  delayNext(milliseconds: number): void;
  /** Puts back what was there before. */
  restore(): void;
  /** As {@link TestAuthenticator.restore}. */
  [Symbol.dispose](): void;
}

/** A passkey on the device. */
export interface TestPasskey {
  /** base64url, as in `AuthMethod.credentialId`. */
  readonly credentialId: string;
  /** The relying party. */
  readonly rpId: string;
  /** The account's name, as the prompt shows it. */
  readonly userName: string;
  /** How often it was used. */
  readonly signCount: number;
}

/** The exceptions of WebAuthn's prompts. */
export type TestPromptFailure =
  | "AbortError"
  | "ConstraintError"
  | "InvalidStateError"
  | "NotAllowedError"
  | "NotReadableError"
  | "NotSupportedError"
  | "OperationError"
  | "SecurityError"
  | "TypeError"
  | "UnknownError";

/**
 * Has time pass by {@link TestClock.advance} alone: in place of `Date`, `setTimeout`, `setInterval`
 * and what clears them. End it by `restore()` or `using`. For where the test runner's own fake
 * timers are not to be had or not to be used; one of them at a time.
 *
 * @throws {GridkeyError} `invalid_argument`
 */
export function createTestClock(options?: TestClockOptions): TestClock;

/** What a test clock is made with, where it differs from the default. */
export interface TestClockOptions {
  /** The time at first. The real one unless given. */
  now?: Date | number | string;
}

/** The clock of {@link createTestClock}. */
export interface TestClock {
  /** The time, in milliseconds since 1970. */
  readonly now: number;
  /** How many timers are set. */
  readonly timers: number;
  /**
   * Lets so much time pass. Timers go off in their order, and what each of them sets off, the test
   * Grid's answers with it, comes to its end before the next one does.
   */
  advance(milliseconds: number): Promise<void>;
  /** Brings real time back. Timers that are set do not go off any more. */
  restore(): void;
  /** As {@link TestClock.restore}. */
  [Symbol.dispose](): void;
}
