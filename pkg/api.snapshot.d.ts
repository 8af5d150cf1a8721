// index.d.ts
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

// wasm/gridkey.d.ts, from the Rust sources
/* tslint:disable */
/* eslint-disable */
/** The kinds of credential. */
export type AuthMethodType = "EMAIL_OTP" | "SMS_OTP" | "OAUTH" | "PASSKEY";

/** What every call takes. */
export interface Call {
    /** Ends the call, which then fails with `aborted`. */
    signal?: AbortSignal | undefined;
    /** How long each request of the call may take, in milliseconds, instead of the client's `timeoutMs`. */
    timeoutMs?: number | undefined;
}

/** The headers of a second leg. */
export interface SignedCall extends Call {
    /** The header `Grid-Wallet-Signature`: what `stamp` resolves to. */
    stamp?: string;
    /** The header `Request-Id`, from the challenge. */
    requestId?: string;
}

/** A way to sign in to an account. Times are RFC 3339. */
export interface AuthMethod {
    /** Grid's id of the credential. */
    id: string;
    /** The account that it opens. */
    accountId: string;
    /** Its kind. */
    type: AuthMethodType;
    /** The e-mail address, the phone number or the passkey's name. */
    nickname: string;
    /** When it was added. */
    createdAt: string;
    /** When it was last changed. */
    updatedAt: string;
    /** WebAuthn's credential id, base64url; passkeys only. */
    credentialId?: string;
}

/** A credential whose one-time code is under way. */
export interface OtpAuthMethod extends AuthMethod {
    /** What the code is sealed to: see `SessionKey.sealOtpCode`. */
    otpEncryptionTargetBundle?: string;
}

/** A session. Times are RFC 3339. */
export interface AuthSession {
    /** Grid's id of the session. */
    id: string;
    /** The account that it opens. */
    accountId: string;
    /** The kind of the credential that it was opened with. */
    type: AuthMethodType;
    /** That credential's name: the e-mail address, the phone number or the passkey's name. */
    nickname: string;
    /** When it was opened. */
    createdAt: string;
    /** When it was last changed. */
    updatedAt: string;
    /** When it ends. */
    expiresAt: string;
    /** WebAuthn's credential id, base64url; of passkeys only. */
    credentialId?: string;
    /** The session's key, sealed to the uncompressed `clientPublicKey` that was sent. */
    encryptedSessionSigningKey?: string;
}

/** What is to be stamped before the request is sent again. */
export interface SignedRequestChallenge {
    /** What is stamped, byte for byte: JSON, or a hash. */
    payloadToSign: string;
    /** For the header `Request-Id`. Good for one use. */
    requestId: string;
    /** Until when it is accepted, RFC 3339. */
    expiresAt: string;
}

/** As {@link SignedRequestChallenge}, of a credential of this type. */
export interface AuthSignedRequestChallenge extends SignedRequestChallenge {
    /** The kind of the credential that is added, used or removed. */
    type?: AuthMethodType;
}

/** What a passkey is asked to sign. Times are RFC 3339. */
export interface PasskeyAuthChallenge {
    /** Grid's id of the credential. */
    id: string;
    /** The account that it opens. */
    accountId: string;
    /** Its kind. */
    type: "PASSKEY";
    /** The passkey's name. */
    nickname: string;
    /** When it was added. */
    createdAt: string;
    /** When it was last changed. */
    updatedAt: string;
    /** WebAuthn's credential id, base64url. */
    credentialId: string;
    /** 64 hexadecimal digits: see `passkeyChallengeBytes`. */
    challenge: string;
    /** For the header `Request-Id`. Good for one use. */
    requestId: string;
    /** Until when an answer is accepted. */
    expiresAt: string;
}

/** What installs an agent's software. Whoever redeems `code` becomes the agent. */
export interface AgentDeviceCode {
    /** What the agent's software redeems. A secret. */
    code: string;
    /** The agent that it is for. */
    agentId: string;
    /** Until when it can be redeemed, RFC 3339. */
    expiresAt: string;
    /** Whether it was redeemed already. */
    redeemed: boolean;
}

/** Whether a device code was redeemed. */
export interface AgentDeviceCodeStatus {
    /** The device code that was asked about. */
    code: string;
    /** Whether it was redeemed. */
    redeemed: boolean;
}

/** A currency. */
export interface Currency {
    /** ISO 4217, or a ticker: `"USDC"`. */
    code?: string;
    /** Its name: `"United States Dollar"`. */
    name?: string;
    /** Its sign: `"$"`. */
    symbol?: string;
    /** How many decimals an amount's smallest unit stands for. */
    decimals?: number;
}

/** An amount in the smallest unit of its currency. */
export interface CurrencyAmount {
    /** How many of the smallest unit of `currency`: cents, say. */
    amount: number;
    /** The currency. */
    currency: Currency;
}

/** An account of the customer's. Grid may say more of it than this. */
export interface InternalAccount {
    /** Grid's id of the account. */
    id: string;
    /** The customer whose it is. */
    customerId?: string;
    /** What it holds. Embedded wallets are what this package is for. */
    type: "INTERNAL_FIAT" | "INTERNAL_CRYPTO" | "EMBEDDED_WALLET" | (string & {});
    /** Whether it can be used. */
    status: "PENDING" | "ACTIVE" | "CLOSED" | "FROZEN" | "FAILED" | (string & {});
    /** What can be spent. */
    balance: CurrencyAmount;
    /** What there is, with what is pending or held. */
    totalBalance: CurrencyAmount;
    /** Whether the wallet's privacy is on. Of embedded wallets only. */
    privateEnabled?: boolean;
    /** When it was opened, RFC 3339. */
    createdAt: string;
    /** When it was last changed, RFC 3339. */
    updatedAt: string;
}

/** A wallet's mnemonic, sealed to the key that was sent: see `WalletExportKey.open`. */
export interface InternalAccountExport {
    /** Grid's id of the account. */
    id: string;
    /** The sealed mnemonic: JSON, as the enclave signed it. */
    encryptedWalletCredentials: string;
}

/** A key with which Grid signs a card's payments. Times are RFC 3339. */
export interface DelegatedKey {
    /** Grid's id of the key. */
    id: string;
    /** The card whose payments it signs. */
    cardId: string;
    /** The card's funding source that it is for. */
    fundingSourceId: string;
    /** The embedded wallet that pays. */
    accountId: string;
    /** The public key: SEC1 compressed, 66 hexadecimal digits. */
    publicKey: string;
    /** Its name, as it was given. */
    nickname: string;
    /** Whether it signs: `ACTIVE` alone does. */
    status: "PENDING" | "ACTIVE" | "REVOKED" | (string & {});
    /** When it was made. */
    createdAt: string;
    /** When it was last changed. */
    updatedAt: string;
}

/** A customer, as Grid describes one. */
export interface Customer {
    /** Grid's id of the customer. */
    id?: string;
    /** The e-mail address. */
    email?: string;
    /** The phone number, E.164. */
    phoneNumber?: string;
    [member: string]: unknown;
}

/** How a payment is authorised where strong customer authentication is asked for. */
export interface ScaChallenge {
    /** Grid's id of the challenge. */
    id: string;
    /** Until when it can be answered, RFC 3339. */
    expiresAt: string;
    /** How the customer is to authorise it. */
    factor: "SMS_OTP" | "TOTP" | "PASSKEY" | (string & {});
    /** All ways that the customer has. */
    availableFactors: string[];
    /** What the challenge is for. */
    purpose?: string | null;
    /** For `navigator.credentials.get()`, where `factor` is `PASSKEY`. */
    passkeyAssertionOptions?: Record<string, unknown> | null;
    /** The origins in which a passkey may answer, where Grid names them. */
    passkeyAllowedOrigins?: string[] | null;
}

/** How a quote is paid. Of a quote whose source is an embedded wallet, `accountType` is `EMBEDDED_WALLET`. */
export interface PaymentInstructions {
    /** Where the money is to come from. Of an embedded wallet `payloadToSign` is what is stamped, byte for byte. */
    accountOrWalletInfo: { accountType?: string; payloadToSign?: string; [member: string]: unknown };
    /** What else Grid tells the payer. */
    instructionsNotes?: string;
}

/** An offer of a payment. Amounts are in the smallest unit of their currency; times are RFC 3339. Grid may say more of it than this. */
export interface Quote {
    /** Grid's id of the quote. */
    id: string;
    /** How far the payment is. Grid may add to these. */
    status: "PENDING" | "PENDING_AUTHORIZATION" | "PROCESSING" | "COMPLETED" | "FAILED" | "EXPIRED" | (string & {});
    /** When it was made. */
    createdAt: string;
    /** Until when it can be executed. */
    expiresAt: string;
    /** Who pays, by `sourceType`. */
    source: Record<string, unknown>;
    /** Who is paid, by `destinationType`. */
    destination: Record<string, unknown>;
    /** What is paid in. */
    sendingCurrency: Currency;
    /** What arrives. */
    receivingCurrency: Currency;
    /** What is paid in all, in the smallest unit of `sendingCurrency`. */
    totalSendingAmount: number;
    /** What arrives, in the smallest unit of `receivingCurrency`. */
    totalReceivingAmount: number;
    /** Units of the sending currency for one of the receiving one. */
    exchangeRate: number;
    /** The fees in it, in the smallest unit of `sendingCurrency`. */
    feesIncluded: number;
    /** Grid's id of the payment. */
    transactionId: string;
    /** How it is paid. */
    paymentInstructions?: PaymentInstructions[];
    /** What the customer is to authorise, while `status` is `PENDING_AUTHORIZATION`. */
    scaChallenge?: ScaChallenge;
}

/** What a quote is asked for. Amounts are in the smallest unit of their currency. */
export interface QuoteRequest {
    /** Of a lookup of the receiver. UMA addresses need one. */
    lookupId?: string;
    /** Who pays: an account, or what comes in over a payment network. There `currency` is that of the payment, and `cryptoNetwork` the one that a stablecoin comes over: `"SOLANA"`. */
    source:
    | { sourceType: "ACCOUNT"; accountId: string; customerId?: string }
    | { sourceType: "REALTIME_FUNDING"; customerId?: string; currency: string; cryptoNetwork?: string };
    /** Who is paid: an account, by a `paymentRail` that it supports, or a UMA address (`$jane@example.com`), in a `currency`. */
    destination:
    | { destinationType: "ACCOUNT"; accountId: string; paymentRail?: string }
    | { destinationType: "UMA_ADDRESS"; umaAddress: string; currency?: string };
    /** Which of the two amounts `lockedCurrencyAmount` is. */
    lockedCurrencySide: "SENDING" | "RECEIVING";
    /** The amount that is fixed, in the smallest unit of its currency: a whole number of at least 1. */
    lockedCurrencyAmount: number;
    /** Execute it at once. Not to be had where an embedded wallet pays. */
    immediatelyExecute?: boolean;
    /** Your own note. */
    description?: string;
    /** What the receiver reads beside the payment: at most 80 characters. */
    remittanceInformation?: string;
    /** Why it is paid, in Grid's words. Some countries ask for it. */
    purposeOfPayment?: string;
    /** What the platform earns, instead of what it has agreed with Grid. For backends: a relay refuses it from a page. */
    platformFeeOverride?: Record<string, unknown>;
    /** How the customer would rather authorise it, where that is asked for. */
    scaFactor?: "SMS_OTP" | "PASSKEY";
    /** What the receiver's side wants to know of the payer. For backends: a relay refuses it from a page. */
    senderCustomerInfo?: Record<string, unknown>;
}

/** The proof of a payment's strong customer authentication: `code`, or `passkeyAssertion` with `origin`. */
export interface ScaAuthorization {
    /** The one-time code. */
    code?: string;
    /** The passkey's answer, as WebAuthn's `toJSON()` gives it. */
    passkeyAssertion?: Record<string, unknown>;
    /** The origin of the page in which the passkey answered. */
    origin?: string;
    /** The IP address of the customer's device. For backends: a relay refuses it from a page. */
    endUserIpAddress?: string;
}

/** What the relay gives for the making of a passkey. */
export interface PasskeyRegistrationOptions {
    /** What the new passkey is made with: base64url, good for one use. */
    challenge: string;
    /** Until when a passkey made with it is accepted, RFC 3339. */
    expiresAt: string;
    /** The relying party, where it is not the page's own domain: its domain, and its name in the prompt. */
    rp?: { id?: string; name?: string };
    /** Whose passkey it will be: an opaque id, base64url, the account's name and the person's. */
    user: { id: string; name: string; displayName?: string };
    /** The passkeys that there are, by WebAuthn's credential id, base64url. */
    excludeCredentials?: { type?: "public-key"; id: string }[];
}

/** The credential to add. The relay's answer is to be signed, but for an account's first. */
export type CreateAuthCredentialBody =
| {
    type: "EMAIL_OTP" | "SMS_OTP";
    /** The account to add it to. The address is the customer's own. */
    accountId: string;
}
| {
    type: "OAUTH";
    /** The account to add it to. */
    accountId: string;
    /** The identity provider's ID token, a JWT, at most 60 seconds old. */
    oidcToken: string;
}
| {
    type: "PASSKEY";
    /** The account to add it to. */
    accountId: string;
    /** The passkey's name: 1 to 100 letters, numbers, spaces or `. _ - ' ( )`. */
    nickname: string;
    /** What the passkey was made with: base64url, as the relay gave it. */
    challenge: string;
    /** The new passkey, as `createPasskey` resolves to it. */
    attestation: PasskeyAttestation;
};

/** The proof by which a credential opens a session. */
export type VerifyAuthCredentialBody =
| {
    type: "EMAIL_OTP" | "SMS_OTP";
    /** The sealed code: JSON, as `SessionKey.sealOtpCode` returns it. */
    encryptedOtpBundle: string;
}
| {
    type: "OAUTH";
    /** The identity provider's ID token, a JWT, at most 60 seconds old, with the `oauthNonce` of `clientPublicKey` in it. */
    oidcToken: string;
    /** The key to be: SEC1, 130 hexadecimal digits for a key that Grid makes and seals to it, 66 for the session's own. */
    clientPublicKey: string;
}
| {
    type: "PASSKEY";
    /** The passkey's answer, as `requestPasskey` resolves to it. */
    assertion: PasskeyAssertion;
};

/**
 * Grid's operations, one leg each. Nothing is checked or stamped on the way: that is for
 * {@link Gridkey} and {@link WalletSession}.
 *
 * All of them reject with a `GridkeyError`.
 */
export interface GridOperations {
    /** Adds a credential. Signed by a session of another one, but for an account's first. */
    createAuthCredential(
    body: CreateAuthCredentialBody,
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 201; authMethod: OtpAuthMethod }>;
    /** The credentials of an account. */
    listAuthCredentials(query: { accountId: string }, call?: Call): Promise<{ status: 200; authMethods: AuthMethod[] }>;
    /** Begins a sign-in. For a one-time code it sends one. For a passkey `clientPublicKey` is the key to be: its encoding says how the session gets its key. */
    challengeAuthCredential(
    id: string,
    body?: { clientPublicKey?: string },
    call?: Call,
    ): Promise<
    | { status: 200; type: "EMAIL_OTP" | "SMS_OTP"; authMethod: OtpAuthMethod }
    | { status: 200; type: "PASSKEY"; challenge: PasskeyAuthChallenge }
    >;
    /** Opens a session. A passkey's answer goes with the challenge's `requestId` and without a stamp. */
    verifyAuthCredential(
    id: string,
    body: VerifyAuthCredentialBody,
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 200; session: AuthSession }>;
    /** Removes a credential. Signed by a session of another one. */
    revokeAuthCredential(
    id: string,
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 204 }>;
    /** The sessions of an account. */
    listAuthSessions(query: { accountId: string }, call?: Call): Promise<{ status: 200; sessions: AuthSession[] }>;
    /** Ends a session. Signed by a session of the account. */
    revokeAuthSession(
    id: string,
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 204 }>;
    /** Opens a new session by an old one, which signs it. `clientPublicKey` is the key to be, as in `challengeAuthCredential`. */
    refreshAuthSession(
    id: string,
    body: { clientPublicKey: string },
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 201; session: AuthSession }>;
    /** Has Grid make a key that signs a card's payments. Stamped twice: the answer to the first stamp is another challenge. */
    createDelegatedKey(
    body: { cardId: string; internalAccountId: string; nickname: string },
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 201; delegatedKey: DelegatedKey }>;
    /** The delegated keys of an account, of a funding source, or both: at least one of the two is to be given. */
    listDelegatedKeys(
    query: { accountId?: string; fundingSourceId?: string },
    call?: Call,
    ): Promise<{ status: 200; delegatedKeys: DelegatedKey[] }>;
    /** A delegated key. */
    getDelegatedKeyById(id: string, call?: Call): Promise<{ status: 200; delegatedKey: DelegatedKey }>;
    /** Ends a delegated key. */
    revokeDelegatedKey(id: string, call?: Call): Promise<{ status: 204 }>;
    /** A customer's accounts, a page of at most `limit` at a time; `cursor` is the `nextCursor` of the page before. */
    listCustomerInternalAccounts(
    query: { customerId: string; type?: InternalAccount["type"]; currency?: string; limit?: number; cursor?: string },
    call?: Call,
    ): Promise<{
        status: 200;
        internalAccounts: InternalAccount[];
        hasMore: boolean;
        nextCursor?: string;
        totalCount?: number;
    }>;
    /** Switches a wallet's privacy. What is signed is a hash. */
    updateInternalAccount(
    id: string,
    body: { privateEnabled: boolean },
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; internalAccount: InternalAccount }>;
    /** Exports a wallet's mnemonic, sealed. `clientPublicKey` is that of a fresh `WalletExportKey`. */
    exportInternalAccount(
    id: string,
    body: { clientPublicKey: string },
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; walletExport: InternalAccountExport }>;
    /** Changes the e-mail address or the phone number (E.164): one of the two at a time. Where no credential is tied to it, it is changed at once. */
    updateCustomerById(
    customerId: string,
    body: { customerType: "INDIVIDUAL" | "BUSINESS"; email?: string; phoneNumber?: string },
    call?: SignedCall,
    ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; customer: Customer }>;
    /** Asks what a payment costs. 202: strong customer authentication is asked for first. */
    createQuote(body: QuoteRequest, call?: Call & { idempotencyKey?: string }): Promise<{ status: 201 | 202; quote: Quote }>;
    /** A quote, as it is now. */
    getQuoteById(quoteId: string, call?: Call): Promise<{ status: 200; quote: Quote }>;
    /** Pays. `stamp` is over the payload in the quote's payment instructions: {@link WalletSession.executeQuote} does all of it. */
    executeQuote(
    quoteId: string,
    body?: { scaFactor?: "SMS_OTP" | "PASSKEY" },
    call?: Call & { stamp?: string; idempotencyKey?: string },
    ): Promise<{ status: 200; quote: Quote }>;
    /** Authorises a payment. The quote may ask for another authorization: look at its `status`. */
    authorizeQuote(quoteId: string, body: ScaAuthorization, call?: Call): Promise<{ status: 200; quote: Quote }>;
    /** Sends the one-time code of a quote's authorization again. */
    resendQuoteScaCode(quoteId: string, call?: Call): Promise<{ status: 204 }>;
    /** Whether a device code was redeemed. */
    getAgentDeviceCodeStatus(
    code: string,
    call?: Call,
    ): Promise<{ status: 200; deviceCodeStatus: AgentDeviceCodeStatus }>;
    /** Makes an agent a new device code. The old one can no longer be redeemed. */
    regenerateAgentDeviceCode(agentId: string, call?: Call): Promise<{ status: 201; deviceCode: AgentDeviceCode }>;
    /** What a new passkey is made with. The relay's own: not one of Grid's. */
    createPasskeyRegistrationOptions(
    body: { accountId: string },
    call?: Call,
    ): Promise<{ status: 200; options: PasskeyRegistrationOptions }>;
}


/** What a client is made with: `baseUrl` or `transport`, and what else differs from the default. */
export interface GridkeyOptions {
    /** The relay's address, e.g. `/api/grid`. Absolute where there is no page. */
    baseUrl?: string;
    /** Carries requests instead of `baseUrl` and `fetch`: your own routes and envelopes, or a test's answers. */
    transport?(call: GridCall): Promise<GridReply>;
    /** Added to each request; a function is asked before each. Never the platform's Basic credentials: a page that has them is refused. */
    headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
    /** Instead of the global `fetch`. */
    fetch?: typeof fetch;
    /** As in `fetch`. */
    credentials?: RequestCredentials;
    /** How long a request may take, in milliseconds. 30000 unless given. */
    timeoutMs?: number;
    /** How a session gets its key: made and sealed by Grid (the default), or made here. */
    sessionKeys?: "sealed" | "client-held";
    /** What passkeys are made and asked for with, where it differs from the page and the relay. */
    passkey?: {
        /** The relying party, where it is not the page's own domain but a parent of it. */
        rpId?: string;
        /** The relying party's name for new passkeys, where it is not the relay's. */
        rpName?: string;
    };
    /** Whose signatures are believed: the production enclaves' (the default), or a sandbox's, whose public keys are given (SEC1 uncompressed, 130 hexadecimal digits). */
    enclave?: "production" | { dangerouslyTrust: { otp: string; export: string | "unsigned-sandbox" } };
    /** The customers' organizations at Turnkey by account id, where you know them. Otherwise the first one that is seen is remembered, in `localStorage` where there is any. */
    organizations?: Record<string, string>;
    /** Sees every request, redacted. What it throws is ignored. */
    onRequest?(event: RequestEvent): void;
}

/** What signing in may be told. */
export interface SignInOptions extends Call {}

/** One request to the relay. `operation` tells what is in `params`. */
export type GridCall = {
    [Operation in keyof GridCallParams]: GridRequest & {
        /** The API's operationId. */
        operation: Operation;
        /** What stands in `path`. */
        params: GridCallParams[Operation];
    };
}[keyof GridCallParams];

/** Of each operation what stands in its path and its query, not encoded, by the names that the API document has for it. */
export interface GridCallParams {
    /** Of `POST /quotes/{quoteId}/authorize`. */
    authorizeQuote: { quoteId: string };
    /** Of `POST /auth/credentials/{id}/challenge`. */
    challengeAuthCredential: { id: string };
    /** Of `POST /auth/credentials`. */
    createAuthCredential: Record<string, never>;
    /** Of `POST /auth/delegated-keys`. */
    createDelegatedKey: Record<string, never>;
    /** Of `POST /auth/credentials/registration-options`. */
    createPasskeyRegistrationOptions: Record<string, never>;
    /** Of `POST /quotes`. */
    createQuote: Record<string, never>;
    /** Of `POST /quotes/{quoteId}/execute`. */
    executeQuote: { quoteId: string };
    /** Of `POST /internal-accounts/{id}/export`. */
    exportInternalAccount: { id: string };
    /** Of `GET /agents/device-codes/{code}/status`. */
    getAgentDeviceCodeStatus: { code: string };
    /** Of `GET /auth/delegated-keys/{id}`. */
    getDelegatedKeyById: { id: string };
    /** Of `GET /quotes/{quoteId}`. */
    getQuoteById: { quoteId: string };
    /** Of `GET /auth/credentials`. */
    listAuthCredentials: { accountId: string };
    /** Of `GET /auth/sessions`. */
    listAuthSessions: { accountId: string };
    /** Of `GET /customers/internal-accounts`. */
    listCustomerInternalAccounts: { customerId: string; type?: string; currency?: string; limit?: string; cursor?: string };
    /** Of `GET /auth/delegated-keys`. */
    listDelegatedKeys: { accountId?: string; fundingSourceId?: string };
    /** Of `POST /auth/sessions/{id}/refresh`. */
    refreshAuthSession: { id: string };
    /** Of `POST /agents/{agentId}/device-codes`. */
    regenerateAgentDeviceCode: { agentId: string };
    /** Of `POST /quotes/{quoteId}/authorize/resend`. */
    resendQuoteScaCode: { quoteId: string };
    /** Of `DELETE /auth/credentials/{id}`. */
    revokeAuthCredential: { id: string };
    /** Of `DELETE /auth/sessions/{id}`. */
    revokeAuthSession: { id: string };
    /** Of `DELETE /auth/delegated-keys/{id}`. */
    revokeDelegatedKey: { id: string };
    /** Of `PATCH /customers/{customerId}`. */
    updateCustomerById: { customerId: string };
    /** Of `PATCH /internal-accounts/{id}`. */
    updateInternalAccount: { id: string };
    /** Of `POST /auth/credentials/{id}/verify`. */
    verifyAuthCredential: { id: string };
}

/** What requests of all operations have. */
export interface GridRequest {
    /** The HTTP method. */
    method: string;
    /** Path and query below the relay's address, percent-encoded. */
    path: string;
    /** JSON. The same text on both legs of a signed request: it must arrive at Grid as it is. */
    body?: string;
    /** For the header `Grid-Wallet-Signature`. */
    stamp?: string;
    /** For the header `Request-Id`. */
    requestId?: string;
    /** For the header `Idempotency-Key`. */
    idempotencyKey?: string;
    /** Aborted when the answer is no longer waited for. */
    signal: AbortSignal;
}

/** The relay's answer. */
export interface GridReply {
    /** The HTTP status that Grid gave. */
    status: number;
    /** Grid's answer: as the text it is, or as what `JSON.parse` made of it. */
    body: unknown;
    /** The answer's headers, of which `Retry-After` and `Date` are read. Instead of the two below, which count more. */
    headers?: Headers | Record<string, string | readonly string[] | undefined>;
    /** `Retry-After`, in milliseconds. */
    retryAfterMs?: number;
    /** `Date`: when the server answered, in milliseconds since 1970. Wrong clocks of devices are told by it. */
    dateMs?: number;
}

/**
 * One when a request goes out, one when it has ended. It holds no secret, token, bundle, stamp or
 * address: names of members, and the values of a few harmless ones.
 * The path of a `signedRequest` is yours, and shown up to its query. Every signed request is leg 2.
 */
export type RequestEvent =
| {
    readonly phase: "sent";
    /** The same in both events of a request. */
    readonly id: number;
    /** The API's operationId. */
    readonly operation: string;
    /** 2 if it is a signed request's second one. */
    readonly leg: 1 | 2;
    /** The HTTP method. */
    readonly method: string;
    /** The path below the relay's address. */
    readonly path: string;
    /** Whether it carries a stamp. */
    readonly signed: boolean;
    /** What is sent, redacted. */
    readonly body?: Record<string, unknown>;
}
| {
    readonly phase: "ended";
    /** The same in both events of a request. */
    readonly id: number;
    /** The API's operationId. */
    readonly operation: string;
    /** 2 if it is a signed request's second one. */
    readonly leg: 1 | 2;
    /** The HTTP method. */
    readonly method: string;
    /** The path below the relay's address. */
    readonly path: string;
    /** Whether it carries a stamp. */
    readonly signed: boolean;
    /** How long it took, in milliseconds. */
    readonly durationMs: number;
    /** The HTTP status, where an answer arrived. */
    readonly status?: number;
    /** The error that it ended with, if it is one. */
    readonly code?: GridkeyErrorCode;
    /** `Retry-After`, in milliseconds. */
    readonly retryAfterMs?: number;
    /** The answer, redacted. */
    readonly body?: Record<string, unknown>;
};

/** Whether somebody is signed in. A new frozen object at each change. */
export type SessionState =
| {
    readonly status: "signedOut";
    /** Why, where somebody was signed in before: the session ran out, was signed out here, or was lost with the WebAssembly (`instance_lost`). */
    readonly reason?: "expired" | "signedOut" | "lost";
}
| {
    readonly status: "signedIn";
    /** The session, as {@link WalletSession} has it, without its key. */
    readonly session: {
        /** Grid's id of it. Another one after a refresh. */
        readonly id: string;
        /** The account that it opens. */
        readonly accountId: string;
        /** The kind of the credential that it was opened with. */
        readonly type: AuthMethodType;
        /** That credential's name. */
        readonly nickname: string;
        /** When it was opened, or refreshed. */
        readonly createdAt: Date;
        /** When it ends at Grid. */
        readonly expiresAt: Date;
        /** The key that stamps: SEC1 compressed, 66 hexadecimal digits. */
        readonly publicKey: string;
    };
};

/** What to keep over a reload while a code is under way. Nothing in it is secret. */
export interface OtpState {
    /** The credential. */
    readonly authMethodId: string;
    /** The account that it opens. */
    readonly accountId: string;
    /** How the code was sent. */
    readonly type: "EMAIL_OTP" | "SMS_OTP";
    /** The address or number that the code went to. */
    readonly sentTo: string;
    /** What the code is sealed to: JSON, signed by the enclave. */
    readonly otpEncryptionTargetBundle: string;
}

/** What to keep while the page is left for an identity provider. Nothing in it is secret: the key stays in the browser's keeping. */
export interface OAuthState {
    /** The credential. */
    readonly authMethodId: string;
    /** The account that it must open, where that was given. */
    readonly accountId?: string;
    /** The public key that the token is bound to: SEC1 compressed, 66 hexadecimal digits. */
    readonly clientPublicKey: string;
    /** Your id at the provider, where that was given. */
    readonly clientId?: string;
}


/** What went wrong; `recovery` of the error says what to do about it. */
export type GridkeyErrorCode =
/** The caller's `AbortSignal` ended the call. */
| "aborted"
/** A bundle is not what its format says. */
| "bundle_malformed"
/** A bundle or token is not signed by the enclave key that this package trusts. */
| "bundle_untrusted"
/** Grid's challenge ran out before it was answered. */
| "challenge_expired"
/** This device's clock and the server's disagree by more than two minutes. */
| "clock_wrong"
/** The resource is in a state that forbids this, e.g. the agent is already connected. */
| "conflict"
/** The account already has this e-mail or passkey credential. */
| "credential_already_exists"
/** A sealed text does not open with this key. */
| "decrypt_failed"
/** The relay, or Grid, does not allow this to this user. */
| "forbidden"
/** Grid refused, for a reason that has no code of its own here: see `gridCode`. */
| "grid_error"
/** The WebAssembly instance stopped; a fresh one has taken its place. */
| "instance_lost"
/** What was to be signed is not what was asked for. Nothing was signed. */
| "intent_refused"
/** An argument is not of the form that the documentation gives. */
| "invalid_argument"
/** No answer arrived. */
| "network"
/** Grid does not know this id. */
| "not_found"
/** The identity provider's token was refused. */
| "oauth_rejected"
/** The one-time code ran out. Ask for a new one. */
| "otp_expired"
/** The one-time code was wrong, or ran out. */
| "otp_rejected"
/** The device already holds a passkey for this account. */
| "passkey_already_registered"
/** The prompt was closed, timed out, or no passkey fitted. */
| "passkey_not_used"
/** Grid did not accept the passkey's answer. */
| "passkey_rejected"
/** This browser, page or device cannot do passkeys. */
| "passkey_unsupported"
/** The device has no source of secure randomness. */
| "randomness_unavailable"
/** Too many attempts. Wait `retryAfterMs`. */
| "rate_limited"
/** The answer is not one of this API's: a proxy's page, a cut-off body, a missing field. */
| "relay_protocol"
/** The session ran out, was revoked, or was signed out here. */
| "session_expired"
/** Grid did not accept the signature of a signed request. */
| "signature_rejected"
/** The platform's own login lapsed. */
| "signed_out_of_platform"
/** This browser does not let the page keep a key. */
| "storage_unavailable"
/** The answer took longer than `timeoutMs`. */
| "timeout"
/** The relay does not offer this operation. */
| "unsupported_operation"
/** The object was freed. */
| "used_after_free"
/** The page's Content-Security-Policy forbids WebAssembly. */
| "wasm_blocked_by_csp"
/** The WebAssembly is missing, is not WebAssembly, or has not been loaded. */
| "wasm_unavailable";

/** What helps after an error. */
export type GridkeyErrorRecovery =
/** Correct the input (a code, the clock) and call again. */
| "fix_input"
/** Nothing the customer can do: the page, the relay or the platform must be mended. */
| "integrator"
/** Offer another way to sign in. */
| "other_method"
/** Call again. */
| "retry"
/** Sign in again. */
| "sign_in"
/** Call again after `retryAfterMs`. */
| "wait";


/** Which enclave signs, where it is not the production enclave of that role. */
export interface EnclaveTrust {
    /** The enclave's public key: P-256, SEC1 uncompressed, 130 hexadecimal digits. */
    enclaveKey?: string;
}

/** What `SessionKey.sealOtpCode` may be told. */
export interface SealOtpCodeOptions extends EnclaveTrust {
    /** How the session's public key is written next to the code. Grid's documents have the uncompressed form, and so has the default; Turnkey's documents have the compressed one. */
    publicKeyEncoding?: "uncompressed" | "compressed";
}

/** What `WalletExportKey.open` checks. */
export interface ExpectedWalletExport extends EnclaveTrust {
    /** The organization whose wallet was asked for, from the payload that was signed. */
    organizationId: string;
}

/** What a passkey ceremony may be told. */
export interface PasskeyOptions {
    /** The relying party, where it is not the page's own domain but a parent of it. */
    rpId?: string;
    /** How long the prompt may stay open, in milliseconds. Browsers take it as advice. */
    timeoutMs?: number | undefined;
    /** Closes the prompt. */
    signal?: AbortSignal | undefined;
}

/** A passkey's answer to a challenge. All members are base64url without padding. */
export interface PasskeyAssertion {
    /** WebAuthn's `id`. */
    credentialId: string;
    /** WebAuthn's `response.clientDataJSON`. */
    clientDataJson: string;
    /** WebAuthn's `response.authenticatorData`. */
    authenticatorData: string;
    /** WebAuthn's `response.signature`. */
    signature: string;
    /** WebAuthn's `response.userHandle`: `user.id` of the making, where the authenticator gives it. */
    userHandle?: string;
}

/** A new passkey. Bytes are base64url without padding. */
export interface PasskeyAttestation {
    /** WebAuthn's `id`. */
    credentialId: string;
    /** WebAuthn's `response.clientDataJSON`. */
    clientDataJson: string;
    /** WebAuthn's `response.attestationObject`. */
    attestationObject: string;
    /** How the authenticator can be reached; what Grid does not know is left out. */
    transports: PasskeyTransport[];
}

/** The transports that Grid knows. */
export type PasskeyTransport = "usb" | "nfc" | "ble" | "internal" | "hybrid";

/** What the making of a passkey needs: from your backend, or from the relay's registration options. */
export interface PasskeyRegistration {
    /** The passkey's name in the account: 1 to 100 letters, numbers, spaces or `. _ - ' ( )`. */
    nickname: string;
    /** Your backend's random challenge, base64url without padding, at least 16 bytes. */
    challenge: string;
    /** The relying party, where it is not the page's own domain: its domain, and its name in the prompt. */
    rp?: { id?: string; name?: string };
    /** Whose passkey it will be. */
    user: {
        /** Opaque and stable, base64url without padding, 1 to 64 bytes. Not an e-mail address. */
        id: string;
        /** The account's name, as the prompt shows it. */
        name: string;
        /** The person's name; without it, `name`. */
        displayName?: string;
    };
    /** The account's passkeys: a device that holds one of them makes no second one. */
    excludeCredentials?: readonly { id: string; type?: "public-key"; transports?: readonly string[] }[];
}

/**
 * What a payload is to be signed for. A payload that asks for anything else, or for more, is
 * refused with `intent_refused`; `reason` of the error names the check.
 *
 * `organizationId` is the customer's organization, where you know it. `expiresAt` is the
 * challenge's or quote's own. The payload must be of the last 15 minutes by this device's clock, a
 * quote's with an `expiresAt` of the last day.
 *
 * Two kinds are signed blind, and say so by `allowBlindSigning`: a quote's payload shows neither
 * amount nor payee, and a wallet's privacy is set by signing a hash, which may as well be a
 * payment's. Revocations name ids that only Turnkey knows, so which credential or session they end
 * cannot be seen. A passkey's challenge is a hash, and cannot be checked at all.
 */
export type Intent = {
    /** The customer's organization at Turnkey. */
    organizationId?: string;
    /** The challenge's or quote's own, RFC 3339. */
    expiresAt?: string;
} & (
| {
    kind: "addPasskey";
    /** As in {@link PasskeyAttestation}, base64url. */
    credentialId: string;
    /** As in {@link PasskeyAttestation}, base64url. */
    clientDataJson: string;
    /** As in {@link PasskeyAttestation}, base64url. */
    attestationObject: string;
    /** What the passkey was made with, base64url. */
    challenge: string;
    /** The passkey's name, as it was sent. */
    nickname?: string;
}
| {
    kind: "addOauth";
    /** The token that was sent: a JWT. */
    oidcToken: string;
}
| {
    kind: "setEmail";
    /** The new e-mail address. */
    email: string;
}
| {
    kind: "setPhone";
    /** The new phone number, E.164. */
    phoneNumber: string;
}
| { kind: "revokePasskey" }
| { kind: "revokeOauth" }
| { kind: "revokeSession" }
| {
    kind: "refreshSession";
    /** The new session's key, as it was sent: SEC1, 66 or 130 hexadecimal digits. */
    clientPublicKey: string;
}
| {
    kind: "exportWallet";
    /** The key that the mnemonic is sealed to, as it was sent: SEC1 uncompressed, 130 hexadecimal digits. */
    clientPublicKey: string;
    /** The wallet's id at Turnkey, where you know it. */
    walletId?: string;
}
| {
    /** A one-time code's token. */
    kind: "verifyOtp";
    /** The key that was sealed with the code, which must be the one that stamps: SEC1, 66 or 130 hexadecimal digits. */
    publicKeyHex: string;
    /** The address or number that the code went to, where you know it. */
    contact?: string;
    /** The enclave's key, where it is not the production one's: SEC1, 66 or 130 hexadecimal digits. */
    quorumPublicKey?: string;
}
| {
    kind: "executeQuote";
    /** The wallet's address, where you know it: the one that must sign. */
    signWith?: string;
    /** The payload shows neither amount nor payee. */
    allowBlindSigning: true;
}
| {
    kind: "updatePrivacy";
    /** The wallet's address, where you know it: the one that must sign. */
    signWith?: string;
    /** The payload is a hash. */
    allowBlindSigning: true;
}
| {
    /** Exactly this activity: for what Grid adds, or does not document. */
    kind: "activity";
    /** Turnkey's name of it: `"ACTIVITY_TYPE_…"`. */
    activityType: string;
    /** Its `parameters`, all of them. */
    parameters: unknown;
}
);

/** Reads a payload that this package does not know and says what it must be. Take nothing from the payload that you can know otherwise: an `organizationId` out of it proves nothing. */
export type IntentOf = (payloadToSign: string) => Intent | Promise<Intent>;

/** What a checked payload says. */
export interface CheckedIntent {
    /** The organization it is for. */
    organizationId?: string;
    /** Turnkey's name of what it asks for. */
    activityType?: string;
    /** Of a payload that is signed blind: its SHA-256, 64 hexadecimal digits, to be shown or logged. */
    fingerprint?: string;
}



/**
 * A sign-in with an identity provider: its token is bound to a key made here.
 */
export class OAuthSignIn {
    private constructor();
    /** Ends the sign-in, and wipes a key that is not kept by the browser. A session that it opened goes on. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * Signs in with the provider's ID token, which may be 60 seconds old. One that cannot be
     * accepted is refused before it is sent. After a failure it can be called again.
     *
     * @throws {GridkeyError} `invalid_argument`, `oauth_rejected`, `clock_wrong`, `aborted`,
     * `network`, `timeout` and whatever Grid refuses with
     */
    submit(id_token: string, options?: SignInOptions): Promise<WalletSession>;
    /**
     * The credential.
     */
    readonly authMethodId: string;
    /**
     * The public key that the session will be for, as it will be sent: SEC1, 130 hexadecimal digits
     * for a sealed session key, 66 for one that is made here.
     */
    readonly clientPublicKey: string;
    /**
     * What the provider is to put into its token as `nonce`: 64 hexadecimal digits.
     */
    readonly nonce: string;
    /**
     * What to keep over a redirect, for `Gridkey.resumeOAuth`. Nothing in it is secret. Only of a
     * sign-in that was prepared with `redirect: true`.
     */
    readonly state: OAuthState | undefined;
}

/**
 * A one-time code that is under way by e-mail or SMS.
 */
export class OtpSignIn {
    private constructor();
    /** Ends the sign-in, and wipes its key. A session that it opened goes on. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * Sends another code. The one before is no longer good.
     *
     * @throws {GridkeyError} `rate_limited`, `aborted`, `network`, `timeout` and whatever Grid
     * refuses with
     */
    resend(call?: Call): Promise<void>;
    /**
     * Signs in with the code. After a wrong one it can be called again.
     *
     * @throws {GridkeyError} `invalid_argument`, `otp_rejected`, `otp_expired`,
     * `bundle_untrusted`, `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid
     * refuses with
     */
    submit(code: string, options?: SignInOptions): Promise<WalletSession>;
    /**
     * The credential.
     */
    readonly authMethodId: string;
    /**
     * The address or number that the code went to.
     */
    readonly sentTo: string;
    /**
     * What to keep over a reload of the page, for `Gridkey.resumeOtp`. Nothing in it is secret.
     * Read it again after `resend()`.
     */
    readonly state: OtpState;
}

/**
 * What a passkey needs, fetched ahead of the tap and kept fresh.
 */
export class PasskeyEnrolment {
    private constructor();
    /** Ends it, and the renewing of its options. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * Ends a `confirm()` that is under way, which then fails with `aborted`.
     */
    cancel(): void;
    /**
     * Asks the device for a passkey and adds it to the account. Call it inside the tap that asked
     * for it; after a failure it can be called again.
     *
     * @throws {GridkeyError} as `WalletSession.addPasskey`
     */
    confirm(call?: Call): Promise<AuthMethod>;
    /**
     * When the options that are ready run out. They are renewed before that.
     */
    readonly expiresAt: Date;
}

/**
 * A passkey's challenge, fetched ahead of the tap and kept fresh.
 */
export class PasskeySignIn {
    private constructor();
    /** Ends the sign-in, and the renewing of its challenge. A session that it opened goes on. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * Ends a `confirm()` that is under way, which then fails with `aborted`.
     */
    cancel(): void;
    /**
     * Asks for the passkey and signs in. Call it inside the tap that asked for it; after a
     * failure it can be called again.
     *
     * @throws {GridkeyError} `passkey_not_used`, `passkey_unsupported`, `passkey_rejected`,
     * `challenge_expired`, `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    confirm(options?: SignInOptions): Promise<WalletSession>;
    /**
     * The credential.
     */
    readonly authMethodId: string;
    /**
     * When the challenge that is ready runs out. It is renewed before that.
     */
    readonly expiresAt: Date;
}

/**
 * Receives a session key that Grid made and sealed. It signs nothing.
 */
export class SealedKeyReceiver {
    private constructor();
    /** Wipes the key. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
     *
     * @throws {GridkeyError} `invalid_argument`
     */
    static dangerouslyFromPrivateKey(bytes: Uint8Array): SealedKeyReceiver;
    /**
     * A new key.
     *
     * @throws {GridkeyError} `randomness_unavailable`
     */
    static generate(): SealedKeyReceiver;
    /**
     * Opens `encryptedSessionSigningKey`. After a failure it can be called again.
     *
     * @throws {GridkeyError} `invalid_argument`, `bundle_malformed`, `decrypt_failed`
     */
    open(encrypted_session_signing_key: string): SessionKey;
    /**
     * The public key, SEC1 uncompressed, 130 hexadecimal digits: as `clientPublicKey` it asks for
     * a sealed session key.
     */
    readonly publicKey: string;
}

/**
 * The key of a session, made here: of sessions by one-time code, and of client-held ones. It
 * signs and receives nothing.
 */
export class SessionKey {
    private constructor();
    /** Wipes the key. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * The private key: 32 bytes, big-endian, yours to wipe. Whoever has it can move the
     * customer's money until the session ends.
     */
    dangerouslyExportPrivateKey(): Uint8Array;
    /**
     * A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
     *
     * @throws {GridkeyError} `invalid_argument`
     */
    static dangerouslyFromPrivateKey(bytes: Uint8Array): SessionKey;
    /**
     * Stamps a payload without looking at what it asks for, and resolves to the value of
     * `Grid-Wallet-Signature`. Whoever can choose the payload can do what the customer can:
     * `stamp` checks before it stamps.
     *
     * @throws {GridkeyError} `invalid_argument`: no string, lone surrogates, or more than 1 MiB
     */
    dangerouslyStampUnchecked(payload_to_sign: string): Promise<string>;
    /**
     * A new key.
     *
     * @throws {GridkeyError} `randomness_unavailable`
     */
    static generate(): SessionKey;
    /**
     * Seals a one-time code and this public key to the enclave that issued the code, and returns
     * `encryptedOtpBundle`. `bundle` is `otpEncryptionTargetBundle`.
     *
     * @throws {GridkeyError} `invalid_argument`, `bundle_malformed`, `bundle_untrusted`
     */
    sealOtpCode(bundle: string, code: string, options?: SealOtpCodeOptions): string;
    /**
     * Stamps `payloadToSign`, byte for byte, if it asks for nothing but `intent`, and resolves to
     * the value of `Grid-Wallet-Signature`.
     *
     * @throws {GridkeyError} `invalid_argument`, `intent_refused`, `clock_wrong`,
     * `challenge_expired`, `bundle_malformed`, `bundle_untrusted`
     */
    stamp(payload_to_sign: string, intent: Intent): Promise<string>;
    /**
     * The public key, SEC1 uncompressed, 130 hexadecimal digits.
     */
    readonly publicKeyUncompressed: string;
    /**
     * The public key, SEC1 compressed, 66 hexadecimal digits: `clientPublicKey` of client-held
     * sessions, and the key that a stamp names.
     */
    readonly publicKey: string;
}

/**
 * Receives one wallet export, and is used up by it. It signs nothing.
 */
export class WalletExportKey {
    private constructor();
    /** Wipes the key. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * A key from its 32 bytes, big-endian. They are copied; the array is yours to wipe.
     *
     * @throws {GridkeyError} `invalid_argument`
     */
    static dangerouslyFromPrivateKey(bytes: Uint8Array): WalletExportKey;
    /**
     * A new key.
     *
     * @throws {GridkeyError} `randomness_unavailable`
     */
    static generate(): WalletExportKey;
    /**
     * Opens `encryptedWalletCredentials` and returns the mnemonic as UTF-8, yours to wipe. After
     * a failure it can be called again.
     *
     * @throws {GridkeyError} `invalid_argument` (also when it is used up), `bundle_malformed`,
     * `bundle_untrusted` (also for another organization), `decrypt_failed`
     */
    open(encrypted_wallet_credentials: string, expected: ExpectedWalletExport): Uint8Array;
    /**
     * The public key, SEC1 uncompressed, 130 hexadecimal digits.
     */
    readonly publicKey: string;
}

/**
 * A session and its key. The key is wiped when the session ends, or when this object is freed and
 * nothing is under way. Its plain facts stay readable after all that, and after a loss of the
 * WebAssembly, as they were last; all else then fails. `publicKey` is no plain fact: it goes with
 * the key's object.
 */
export class WalletSession {
    private constructor();
    /** Wipes the key, once nothing is under way. The session at Grid goes on: {@link WalletSession.signOut} ends it. */
    free(): void;
    /** As `free()`, for `using`. */
    [Symbol.dispose](): void;
    /**
     * Adds the customer's e-mail address back. It sends a code: `submit` of what this resolves to
     * activates the credential and opens a session by it.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `credential_already_exists`,
     * `intent_refused`, `bundle_untrusted`, `aborted`, `network`, `timeout` and whatever Grid
     * refuses with
     */
    addEmailOtp(options: { email: string } & Call): Promise<OtpSignIn>;
    /**
     * Adds an account at an identity provider. `idToken` may be 60 seconds old and carries no
     * nonce; `clientId` is yours at the provider.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `oauth_rejected`,
     * `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    addOAuth(options: { idToken: string; clientId?: string } & Call): Promise<AuthMethod>;
    /**
     * Makes a passkey on this device and adds it to the account. Call it inside the tap that asked
     * for it.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `passkey_not_used`,
     * `passkey_already_registered`, `passkey_unsupported`, `passkey_rejected`,
     * `credential_already_exists`, `intent_refused`, `aborted`, `network`, `timeout` and whatever
     * Grid refuses with
     */
    addPasskey(registration: PasskeyRegistration, call?: Call): Promise<AuthMethod>;
    /**
     * As `addEmailOtp`, with the customer's phone number, E.164.
     *
     * @throws {GridkeyError} as `addEmailOtp`
     */
    addSmsOtp(options: { phoneNumber: string } & Call): Promise<OtpSignIn>;
    /**
     * Lets Grid sign a card's payments from this account, without limit, until the key is revoked.
     * Grid does not document what is signed for it: `intent` is called with each of the two
     * payloads, reads it, and says what it must be. If the second one is refused, a `PENDING` key stays,
     * which signs nothing.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `conflict`,
     * `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    createDelegatedKey(options: { cardId: string; nickname: string; intent: IntentOf } & Call): Promise<DelegatedKey>;
    /**
     * Pays: executes a quote, as `createQuote` or `getQuoteById` gave it. The payload shows neither
     * amount nor payee: `allowBlindSigning` says that the relay and Grid are trusted with that.
     *
     * Where strong customer authentication is asked for, the quote that comes back is
     * `PENDING_AUTHORIZATION`: see `api.authorizeQuote`. After a failure with the reason
     * `outcome_unknown` look with `api.getQuoteById`.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `challenge_expired`,
     * `intent_refused`, `conflict`, `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    executeQuote(quote: Quote, options: { allowBlindSigning: true; idempotencyKey?: string; scaFactor?: "SMS_OTP" | "PASSKEY"; signWith?: string } & Call): Promise<Quote>;
    /**
     * The wallet's mnemonic, UTF-8: words with single spaces between. Whoever has it has the
     * wallet, for ever. The bytes are yours to wipe.
     *
     * A first export needs the account's organization, here or in the client's `organizations`.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`,
     * `bundle_untrusted`, `bundle_malformed`, `decrypt_failed`, `aborted`, `network`, `timeout`
     * and whatever Grid refuses with
     */
    exportMnemonic(options?: { organizationId?: string } & Call): Promise<Uint8Array>;
    /**
     * Fetches the relay's registration options, ahead of the tap that confirms.
     * Keep this session while you hold what it resolves to: it does not keep the key.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `aborted`, `network`,
     * `timeout` and whatever the relay refuses with
     */
    preparePasskeyRegistration(options: { nickname: string; userName?: string; userDisplayName?: string } & Call): Promise<PasskeyEnrolment>;
    /**
     * Replaces the session by a new one with a new key, in this same object. Until the new one is
     * there the old one stays as it is, whatever fails. At Grid the old one lives on until it
     * expires, unless `revokeOld` is true.
     *
     * @throws {GridkeyError} `session_expired`, `intent_refused`, `decrypt_failed`,
     * `relay_protocol`, `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    refresh(options?: { revokeOld?: boolean } & Call): Promise<void>;
    /**
     * Removes a credential of this account. This session must be of another one. One that is not
     * there any more counts as removed.
     *
     * Which credential the signature removes cannot be seen: the payload has Turnkey's id of it, and
     * the relay says of which kind it is.
     * For e-mail and SMS credentials Grid does not document the payload at all; without an
     * `intent` that reads it, they are refused.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
     * `network`, `timeout` and whatever Grid refuses with
     */
    revokeAuthMethod(id: string, options?: { intent?: IntentOf } & Call): Promise<void>;
    /**
     * Ends a session of this account at Grid: another device's, say. One that is not there any
     * more counts as ended.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
     * `network`, `timeout` and whatever Grid refuses with
     */
    revokeSession(id: string, call?: Call): Promise<void>;
    /**
     * Ends the session: the key here at once, then the session at Grid. Where Grid cannot be told,
     * `revokedAtGrid` is false and the session ends there by itself.
     *
     * @throws {GridkeyError} `invalid_argument`
     */
    signOut(call?: Call): Promise<{ revokedAtGrid: boolean }>;
    /**
     * A signed request that this package does not know: what Grid adds next. Resolves to the
     * answer's body. `path` is below the relay's address, percent-encoded; the relay must know it.
     * `intent` is what is signed, or a function that reads the payload and says so.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
     * `network`, `timeout` and whatever Grid refuses with
     */
    signedRequest(request: { method: string; path: string; body?: unknown; intent: Intent | IntentOf } & Call): Promise<unknown>;
    /**
     * Stamps a payload that came by your own routes, if it asks for nothing but `intent` and is of
     * this account's organization, and resolves to the value of `Grid-Wallet-Signature`.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`,
     * `challenge_expired`, `clock_wrong`
     */
    stamp(payload_to_sign: string, intent: Intent): Promise<string>;
    /**
     * Changes the customer's e-mail address, and the credential tied to it.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `credential_already_exists`,
     * `intent_refused`, `aborted`, `network`, `timeout` and whatever Grid refuses with
     */
    updateEmail(options: { customerId: string; email: string; customerType?: "INDIVIDUAL" | "BUSINESS" } & Call): Promise<void>;
    /**
     * Changes the customer's phone number, E.164, and the credential tied to it.
     *
     * @throws {GridkeyError} as `updateEmail`
     */
    updatePhoneNumber(options: { customerId: string; phoneNumber: string; customerType?: "INDIVIDUAL" | "BUSINESS" } & Call): Promise<void>;
    /**
     * Switches the wallet's privacy. What is signed is a hash, which may as well be a payment's:
     * `allowBlindSigning` says that the relay and Grid are trusted with that.
     *
     * @throws {GridkeyError} `invalid_argument`, `session_expired`, `intent_refused`, `aborted`,
     * `network`, `timeout` and whatever Grid refuses with
     */
    updatePrivacy(options: { privateEnabled: boolean; allowBlindSigning: true } & Call): Promise<InternalAccount>;
    /**
     * The customer's account.
     */
    readonly accountId: string;
    /**
     * The credential that it was opened with, where that is known.
     */
    readonly authMethodId: string | undefined;
    /**
     * When it was opened, or refreshed.
     */
    readonly createdAt: Date;
    /**
     * When it ends at Grid. In its last 30 seconds it is not used.
     */
    readonly expiresAt: Date;
    /**
     * The session's id at Grid. Another one after `refresh()`.
     */
    readonly id: string;
    /**
     * Whether it can sign. Also false once it was freed, or lost with the WebAssembly.
     */
    readonly isActive: boolean;
    /**
     * That credential's name: an e-mail address, or what the customer calls the passkey.
     */
    readonly nickname: string;
    /**
     * The key that stamps: SEC1 compressed, 66 hexadecimal digits. Another one after `refresh()`.
     */
    readonly publicKey: string;
    /**
     * The kind of the credential that it was opened with.
     */
    readonly type: AuthMethodType;
}

/**
 * Refuses a payload that asks for anything but `intent`, and says what it asks for. `now` is the
 * time to judge by, in milliseconds since 1970, where it is not the device's.
 *
 * @throws {GridkeyError} `invalid_argument`, `intent_refused`, `clock_wrong`, `challenge_expired`,
 * `bundle_malformed`, `bundle_untrusted`
 */
export function checkIntent(payload_to_sign: string, intent: Intent, options?: { now?: number }): CheckedIntent;

/**
 * Makes a passkey: `navigator.credentials.create()`. Call it inside the tap that asked for it.
 * One ceremony at a time: a new one ends the old.
 *
 * @throws {GridkeyError} `invalid_argument`, `passkey_not_used`, `passkey_already_registered`,
 * `passkey_unsupported`, `passkey_rejected`, `aborted`
 */
export function createPasskey(registration: PasskeyRegistration, options?: PasskeyOptions): Promise<PasskeyAttestation>;

/**
 * The `nonce` to ask an identity provider for, so that its token is bound to this key: lower-case
 * hex of SHA-256 over the text. The two forms of a key have two nonces: give the one that is sent.
 *
 * @throws {GridkeyError} `invalid_argument`
 */
export function oauthNonce(client_public_key: string): string;

/**
 * The bytes that WebAuthn takes as `challenge` for a challenge of Grid's: the 64 ASCII bytes of
 * its 64 hexadecimal digits.
 *
 * @throws {GridkeyError} `invalid_argument`
 */
export function passkeyChallengeBytes(challenge: string): Uint8Array;

/**
 * Asks for a passkey: `navigator.credentials.get()`. Call it inside the tap that asked for it.
 * One ceremony at a time: a new one ends the old.
 *
 * @throws {GridkeyError} `invalid_argument`, `passkey_not_used`, `passkey_unsupported`,
 * `passkey_rejected`, `aborted`
 */
export function requestPasskey(challenge: { challenge: string; credentialId: string }, options?: PasskeyOptions): Promise<PasskeyAssertion>;
