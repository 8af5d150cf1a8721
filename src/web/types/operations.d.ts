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
  /** `Idempotency-Key` */
  idempotencyKey?: string;
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

/** What the relay gives for the making of a passkey. */
export interface PasskeyRegistrationOptions {
  /** base64url; good for one use. */
  challenge: string;
  /** RFC 3339. */
  expiresAt: string;
  rp: { id?: string; name?: string };
  user: { id: string; name: string; displayName: string };
  excludeCredentials: { type: "public-key"; id: string }[];
}

export type CreateAuthCredentialBody =
  | { type: "EMAIL_OTP"; accountId: string }
  | { type: "OAUTH"; accountId: string; oidcToken: string }
  | { type: "PASSKEY"; accountId: string; nickname: string; challenge: string; attestation: PasskeyAttestation };

export type VerifyAuthCredentialBody =
  | { type: "EMAIL_OTP"; encryptedOtpBundle: string }
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
  /** The old code can no longer be redeemed. */
  regenerateAgentDeviceCode(agentId: string, call?: Call): Promise<{ status: 201; deviceCode: AgentDeviceCode }>;
  /** The relay's own: not one of Grid's. */
  createPasskeyRegistrationOptions(
    body: { accountId: string },
    call?: Call,
  ): Promise<{ status: 200; options: PasskeyRegistrationOptions }>;
}
