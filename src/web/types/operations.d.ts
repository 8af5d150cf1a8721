/** The kinds of credential. */
export type AuthMethodType = "EMAIL_OTP" | "SMS_OTP" | "OAUTH" | "PASSKEY";

/** What every call takes. */
export interface Call {
  /** Ends the call, which then fails with `aborted`. */
  signal?: AbortSignal;
  /** How long each request of the call may take, in milliseconds, instead of the client's `timeoutMs`. */
  timeoutMs?: number;
}

/** The headers of a second leg. */
export interface SignedCall extends Call {
  /** `Grid-Wallet-Signature` */
  stamp?: string;
  /** `Request-Id`, from the challenge. */
  requestId?: string;
}

/** A way to sign in to an account. Times are RFC 3339. */
export interface AuthMethod {
  id: string;
  accountId: string;
  type: AuthMethodType;
  /** The e-mail address, the phone number or the passkey's name. */
  nickname: string;
  createdAt: string;
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
  id: string;
  accountId: string;
  type: AuthMethodType;
  nickname: string;
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
  credentialId?: string;
  /** The session's key, sealed to the uncompressed `clientPublicKey` that was sent. */
  encryptedSessionSigningKey?: string;
}

/** What is to be stamped before the request is sent again. */
export interface SignedRequestChallenge {
  payloadToSign: string;
  /** Good for one use. */
  requestId: string;
  /** RFC 3339. */
  expiresAt: string;
}

/** As {@link SignedRequestChallenge}, of a credential of this type. */
export interface AuthSignedRequestChallenge extends SignedRequestChallenge {
  type?: AuthMethodType;
}

/** What a passkey is asked to sign. Times are RFC 3339. */
export interface PasskeyAuthChallenge {
  id: string;
  accountId: string;
  type: "PASSKEY";
  nickname: string;
  createdAt: string;
  updatedAt: string;
  /** WebAuthn's credential id, base64url. */
  credentialId: string;
  /** 64 hexadecimal digits: see `passkeyChallengeBytes`. */
  challenge: string;
  /** Good for one use. */
  requestId: string;
  expiresAt: string;
}

/** What installs an agent's software. Whoever redeems `code` becomes the agent. */
export interface AgentDeviceCode {
  code: string;
  agentId: string;
  /** RFC 3339. */
  expiresAt: string;
  redeemed: boolean;
}

/** Whether a device code was redeemed. */
export interface AgentDeviceCodeStatus {
  code: string;
  redeemed: boolean;
}

/** A currency. */
export interface Currency {
  /** ISO 4217, or a ticker: `"USDC"`. */
  code?: string;
  name?: string;
  symbol?: string;
  /** How many decimals an amount's smallest unit stands for. */
  decimals?: number;
}

/** An amount in the smallest unit of its currency. */
export interface CurrencyAmount {
  amount: number;
  currency: Currency;
}

/** An account of the customer's. Grid may say more of it than this. */
export interface InternalAccount {
  id: string;
  customerId?: string;
  type: "INTERNAL_FIAT" | "INTERNAL_CRYPTO" | "EMBEDDED_WALLET" | (string & {});
  status: "PENDING" | "ACTIVE" | "CLOSED" | "FROZEN" | "FAILED" | (string & {});
  /** What can be spent. */
  balance: CurrencyAmount;
  totalBalance: CurrencyAmount;
  /** Of embedded wallets. */
  privateEnabled?: boolean;
  createdAt: string;
  updatedAt: string;
}

/** A wallet's mnemonic, sealed to the key that was sent: see `WalletExportKey.open`. */
export interface InternalAccountExport {
  id: string;
  encryptedWalletCredentials: string;
}

/** A key with which Grid signs a card's payments. Times are RFC 3339. */
export interface DelegatedKey {
  id: string;
  cardId: string;
  fundingSourceId: string;
  accountId: string;
  /** SEC1 compressed, 66 hexadecimal digits. */
  publicKey: string;
  nickname: string;
  status: "PENDING" | "ACTIVE" | "REVOKED" | (string & {});
  createdAt: string;
  updatedAt: string;
}

/** A customer, as Grid describes one. */
export interface Customer {
  id?: string;
  email?: string;
  phoneNumber?: string;
  [member: string]: unknown;
}

/** How a payment is authorised where strong customer authentication is asked for. */
export interface ScaChallenge {
  id: string;
  /** RFC 3339. */
  expiresAt: string;
  factor: "SMS_OTP" | "TOTP" | "PASSKEY" | (string & {});
  availableFactors: string[];
  purpose?: string | null;
  /** For `navigator.credentials.get()`, where `factor` is `PASSKEY`. */
  passkeyAssertionOptions?: Record<string, unknown> | null;
  passkeyAllowedOrigins?: string[] | null;
}

/** How a quote is paid. Of a quote whose source is an embedded wallet, `accountType` is `EMBEDDED_WALLET`. */
export interface PaymentInstructions {
  accountOrWalletInfo: { accountType?: string; payloadToSign?: string; [member: string]: unknown };
  instructionsNotes?: string;
}

/** An offer of a payment. Amounts are in the smallest unit of their currency; times are RFC 3339. Grid may say more of it than this. */
export interface Quote {
  id: string;
  status: "PENDING" | "PENDING_AUTHORIZATION" | "PROCESSING" | "COMPLETED" | "FAILED" | "EXPIRED" | (string & {});
  createdAt: string;
  /** Until when it can be executed. */
  expiresAt: string;
  source: Record<string, unknown>;
  destination: Record<string, unknown>;
  sendingCurrency: Currency;
  receivingCurrency: Currency;
  totalSendingAmount: number;
  totalReceivingAmount: number;
  /** Units of the sending currency for one of the receiving one. */
  exchangeRate: number;
  feesIncluded: number;
  transactionId: string;
  paymentInstructions?: PaymentInstructions[];
  /** While `status` is `PENDING_AUTHORIZATION`. */
  scaChallenge?: ScaChallenge;
}

/** What a quote is asked for. Amounts are in the smallest unit of their currency. */
export interface QuoteRequest {
  lookupId?: string;
  source:
    | { sourceType: "ACCOUNT"; accountId: string; customerId?: string }
    | { sourceType: "REALTIME_FUNDING"; customerId?: string; currency: string; cryptoNetwork?: string };
  destination:
    | { destinationType: "ACCOUNT"; accountId: string; paymentRail?: string }
    | { destinationType: "UMA_ADDRESS"; umaAddress: string; currency?: string };
  lockedCurrencySide: "SENDING" | "RECEIVING";
  /** A whole number of at least 1. */
  lockedCurrencyAmount: number;
  immediatelyExecute?: boolean;
  description?: string;
  /** At most 80 characters. */
  remittanceInformation?: string;
  purposeOfPayment?: string;
  platformFeeOverride?: Record<string, unknown>;
  scaFactor?: "SMS_OTP" | "PASSKEY";
  senderCustomerInfo?: Record<string, unknown>;
}

/** The proof of a payment's strong customer authentication: `code`, or `passkeyAssertion` with `origin`. */
export interface ScaAuthorization {
  code?: string;
  passkeyAssertion?: Record<string, unknown>;
  origin?: string;
  /** Of the customer's device. For backends: a relay refuses it from a page. */
  endUserIpAddress?: string;
}

/** What the relay gives for the making of a passkey. */
export interface PasskeyRegistrationOptions {
  /** base64url; good for one use. */
  challenge: string;
  /** RFC 3339. */
  expiresAt: string;
  rp?: { id?: string; name?: string };
  user: { id: string; name: string; displayName?: string };
  excludeCredentials?: { type?: "public-key"; id: string }[];
}

export type CreateAuthCredentialBody =
  | { type: "EMAIL_OTP" | "SMS_OTP"; accountId: string }
  | { type: "OAUTH"; accountId: string; oidcToken: string }
  | { type: "PASSKEY"; accountId: string; nickname: string; challenge: string; attestation: PasskeyAttestation };

export type VerifyAuthCredentialBody =
  | { type: "EMAIL_OTP" | "SMS_OTP"; encryptedOtpBundle: string }
  | { type: "OAUTH"; oidcToken: string; clientPublicKey: string }
  | { type: "PASSKEY"; assertion: PasskeyAssertion };

/**
 * Grid's operations, one leg each. Nothing is checked or stamped on the way: that is for
 * {@link Gridkey} and {@link WalletSession}.
 *
 * All of them reject with a `GridkeyError`.
 */
export interface GridOperations {
  createAuthCredential(
    body: CreateAuthCredentialBody,
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 201; authMethod: OtpAuthMethod }>;
  listAuthCredentials(query: { accountId: string }, call?: Call): Promise<{ status: 200; authMethods: AuthMethod[] }>;
  /** For a one-time code it sends one. For a passkey `clientPublicKey` is the key to be: its encoding says how the session gets its key. */
  challengeAuthCredential(
    id: string,
    body?: { clientPublicKey?: string },
    call?: Call,
  ): Promise<
    | { status: 200; type: "EMAIL_OTP" | "SMS_OTP"; authMethod: OtpAuthMethod }
    | { status: 200; type: "PASSKEY"; challenge: PasskeyAuthChallenge }
  >;
  /** A passkey's answer goes with the challenge's `requestId` and without a stamp. */
  verifyAuthCredential(
    id: string,
    body: VerifyAuthCredentialBody,
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 200; session: AuthSession }>;
  /** Signed by a session of another credential. */
  revokeAuthCredential(
    id: string,
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 204 }>;
  listAuthSessions(query: { accountId: string }, call?: Call): Promise<{ status: 200; sessions: AuthSession[] }>;
  revokeAuthSession(
    id: string,
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: AuthSignedRequestChallenge } | { status: 204 }>;
  refreshAuthSession(
    id: string,
    body: { clientPublicKey: string },
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 201; session: AuthSession }>;
  /** Stamped twice: the answer to the first stamp is another challenge. */
  createDelegatedKey(
    body: { cardId: string; internalAccountId: string; nickname: string },
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 201; delegatedKey: DelegatedKey }>;
  /** At least one of the two. */
  listDelegatedKeys(
    query: { accountId?: string; fundingSourceId?: string },
    call?: Call,
  ): Promise<{ status: 200; delegatedKeys: DelegatedKey[] }>;
  getDelegatedKeyById(id: string, call?: Call): Promise<{ status: 200; delegatedKey: DelegatedKey }>;
  revokeDelegatedKey(id: string, call?: Call): Promise<{ status: 204 }>;
  /** A page of them; `cursor` is the `nextCursor` of the page before. */
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
  updateInternalAccount(
    id: string,
    body: { privateEnabled: boolean },
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; internalAccount: InternalAccount }>;
  /** `clientPublicKey` is that of a fresh `WalletExportKey`. */
  exportInternalAccount(
    id: string,
    body: { clientPublicKey: string },
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; walletExport: InternalAccountExport }>;
  /** One of the two at a time. Where no credential is tied to it, it is changed at once. */
  updateCustomerById(
    customerId: string,
    body: { customerType: "INDIVIDUAL" | "BUSINESS"; email?: string; phoneNumber?: string },
    call?: SignedCall,
  ): Promise<{ status: 202; challenge: SignedRequestChallenge } | { status: 200; customer: Customer }>;
  /** 202: strong customer authentication is asked for first. */
  createQuote(body: QuoteRequest, call?: Call & { idempotencyKey?: string }): Promise<{ status: 201 | 202; quote: Quote }>;
  getQuoteById(quoteId: string, call?: Call): Promise<{ status: 200; quote: Quote }>;
  /** `stamp` is over the payload in the quote's payment instructions: {@link WalletSession.executeQuote} does all of it. */
  executeQuote(
    quoteId: string,
    body?: { scaFactor?: "SMS_OTP" | "PASSKEY" },
    call?: Call & { stamp?: string; idempotencyKey?: string },
  ): Promise<{ status: 200; quote: Quote }>;
  /** The quote may ask for another authorization: look at its `status`. */
  authorizeQuote(quoteId: string, body: ScaAuthorization, call?: Call): Promise<{ status: 200; quote: Quote }>;
  resendQuoteScaCode(quoteId: string, call?: Call): Promise<{ status: 204 }>;
  getAgentDeviceCodeStatus(
    code: string,
    call?: Call,
  ): Promise<{ status: 200; deviceCodeStatus: AgentDeviceCodeStatus }>;
  /** The old code can no longer be redeemed. */
  regenerateAgentDeviceCode(agentId: string, call?: Call): Promise<{ status: 201; deviceCode: AgentDeviceCode }>;
  /** The relay's own: not one of Grid's. */
  createPasskeyRegistrationOptions(
    body: { accountId: string },
    call?: Call,
  ): Promise<{ status: 200; options: PasskeyRegistrationOptions }>;
}
