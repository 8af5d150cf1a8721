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
