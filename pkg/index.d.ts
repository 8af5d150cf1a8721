/// <reference lib="esnext.disposable" />

import type {
  AuthMethod,
  AuthSession,
  Call,
  GridOperations,
  GridkeyErrorCode,
  GridkeyErrorRecovery,
  GridkeyOptions,
  OAuthSignIn,
  OAuthState,
  OtpSignIn,
  OtpState,
  PasskeySignIn,
  SessionKey,
  SessionState,
  SignInOptions,
  WalletSession,
} from "./wasm/gridkey.js";

export type {
  AgentDeviceCode,
  AgentDeviceCodeStatus,
  AuthMethod,
  AuthMethodType,
  AuthSession,
  AuthSignedRequestChallenge,
  Call,
  CheckedIntent,
  CreateAuthCredentialBody,
  Currency,
  CurrencyAmount,
  Customer,
  DelegatedKey,
  EnclaveTrust,
  ExpectedWalletExport,
  GridCall,
  GridCallParams,
  GridOperations,
  GridReply,
  GridRequest,
  GridkeyErrorCode,
  GridkeyErrorRecovery,
  GridkeyOptions,
  Intent,
  IntentOf,
  InternalAccount,
  InternalAccountExport,
  OAuthState,
  OtpAuthMethod,
  OtpState,
  PasskeyAssertion,
  PasskeyAttestation,
  PasskeyAuthChallenge,
  PasskeyOptions,
  PasskeyRegistration,
  PasskeyRegistrationOptions,
  PasskeyTransport,
  PaymentInstructions,
  Quote,
  QuoteRequest,
  RequestEvent,
  ScaAuthorization,
  ScaChallenge,
  SealOtpCodeOptions,
  SessionState,
  SignInOptions,
  SignedCall,
  SignedRequestChallenge,
  VerifyAuthCredentialBody,
} from "./wasm/gridkey.js";

export {
  OAuthSignIn,
  OtpSignIn,
  PasskeyEnrolment,
  PasskeySignIn,
  SealedKeyReceiver,
  SessionKey,
  WalletExportKey,
  WalletSession,
  checkIntent,
  createPasskey,
  oauthNonce,
  passkeyChallengeBytes,
  requestPasskey,
} from "./wasm/gridkey.js";

/**
 * A client. Returns at once: the WebAssembly loads when it is first needed, or by {@link init}.
 * What is wrong with `options` is told by the first call.
 */
export function createGridkey(options: GridkeyOptions): Gridkey;

/**
 * Loads the WebAssembly. Every further call returns the same promise; after a failure it tries
 * again. Bundlers and Node need no `source`; the first call's counts.
 *
 * @throws {GridkeyError} `wasm_unavailable`, `wasm_blocked_by_csp`, `invalid_argument`
 */
export function init(source?: WasmSource, options?: InitOptions): Promise<void>;

/** Where the WebAssembly may come from. */
export type WasmSource = URL | string | Request | Response | BufferSource | WebAssembly.Module;

/** How the WebAssembly is loaded. */
export interface InitOptions {
  /**
   * What the WebAssembly must be, in the form of HTML's `integrity`. It is checked before anything of it is compiled, and another one is
   * refused with `wasm_unavailable`. The digest of the file in this package is {@link WASM_INTEGRITY}.
   */
  integrity?: string;
}

/** The digest of the package's WebAssembly, in the form of HTML's `integrity`. */
export const WASM_INTEGRITY: string;

/** Whether WebAssembly and secure randomness are to be had here. Needs no `init()`. */
export function isSupported(): boolean;

/** What this browser can do. Needs no `init()`. */
export function capabilities(): Promise<Capabilities>;

/** Each `"unknown"` where the browser does not say. */
export interface Capabilities {
  /** Passkeys of any kind. */
  readonly passkeys: boolean | "unknown";
  /** Passkeys of this device itself, which checks who is using it. */
  readonly platformAuthenticator: boolean | "unknown";
  /** Passkeys among the suggestions of a login field. */
  readonly autofill: boolean | "unknown";
  /** Keys that no script can read and that outlive the page. */
  readonly persistentKeys: boolean | "unknown";
}

/**
 * A client of one relay. Calls reject, and methods throw, with a {@link GridkeyError}.
 *
 * Give `accountId` to a sign-in where you know it: an answer of another account is then refused.
 */
export class Gridkey {
  private constructor();
  /** Grid's operations, one leg each. */
  readonly api: GridOperations;
  /** Whether somebody is signed in. The same frozen object until it changes. */
  readonly state: SessionState;
  /** The session that `state` speaks of, until it is signed out. Changes together with `state`; a refresh leaves it the same object. */
  readonly session: WalletSession | undefined;
  /** Calls `listener` after each change of `state` and `session`. Returns what ends that. May be handed on by itself, e.g. to React's `useSyncExternalStore`. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The ways to sign in to an account. */
  listAuthMethods(options: { accountId: string } & Call): Promise<AuthMethod[]>;
  /** Fetches a passkey's challenge ahead of the tap and keeps it fresh: `confirm()` then runs inside the tap. */
  preparePasskey(options: { authMethodId: string; accountId?: string } & Call): Promise<PasskeySignIn>;
  /** Fetches a passkey's challenge and asks for the passkey at once. Some browsers refuse that, because of the fetch between tap and prompt. */
  signInWithPasskey(options: { authMethodId: string; accountId?: string } & SignInOptions): Promise<WalletSession>;
  /** Sends a one-time code by e-mail or SMS. */
  sendOtp(options: { authMethodId: string; accountId?: string } & Call): Promise<OtpSignIn>;
  /** Goes on where {@link OtpSignIn.state} was taken, e.g. before the page was loaded anew. */
  resumeOtp(state: OtpState): Promise<OtpSignIn>;
  /**
   * Makes the key that an identity provider's token will be bound to: ask the provider for a token with `nonce`, then `submit` it.
   * `clientId` is yours at the provider; a token for another one is refused. With `redirect` the page may be left meanwhile: the key is
   * then kept by the browser, unreadable, and usable for an hour, and becomes the session key, whatever `sessionKeys` says.
   */
  prepareOAuth(
    options: { authMethodId: string; accountId?: string; clientId?: string; redirect?: boolean } & Call,
  ): Promise<OAuthSignIn>;
  /** Goes on with {@link OAuthSignIn.state} after the identity provider has sent the page back. */
  resumeOAuth(state: OAuthState): Promise<OAuthSignIn>;
  /** Forgets which organization and wallet an account has: the next payload is believed again. */
  forgetOrganization(accountId: string): Promise<void>;
  /** Takes over a session that was opened by layer 2, with its key: `key` is then as if freed. The WebAssembly must be loaded, as it is where there is a key. */
  adoptSession(session: AuthSession, key: SessionKey): WalletSession;
  /** Ends the client. Sessions made by it go on. */
  free(): void;
  /** As `free()`, for `using`. */
  [Symbol.dispose](): void;
}

/** Thrown by everything in this package. Branch on `code`. */
export class GridkeyError extends Error {
  private constructor();
  /** Of every error of this package. {@link isGridkeyError} looks at it. */
  readonly name: "GridkeyError";
  /** What went wrong. */
  readonly code: GridkeyErrorCode;
  /** What helps. */
  readonly recovery: GridkeyErrorRecovery;
  /** The HTTP status of the answer. */
  readonly status?: number;
  /** `code` of Grid's error body. */
  readonly gridCode?: string;
  /** A finer reason, where there is one. */
  readonly reason?: string;
  /** `details` of Grid's error body. */
  readonly details?: Record<string, unknown>;
  /** How long to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Grid's id of the signed request that failed. */
  readonly requestId?: string;
  /** The operationId of the request that failed. */
  readonly operation?: string;
  /** The exception behind it: the `AbortSignal`'s reason, or why the WebAssembly did not load. */
  readonly cause?: unknown;
}

/** Whether `error` is of this package, also of another copy of it. */
export function isGridkeyError(error: unknown): error is GridkeyError;
