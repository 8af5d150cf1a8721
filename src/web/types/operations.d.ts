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
