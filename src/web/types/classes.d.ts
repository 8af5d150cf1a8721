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
