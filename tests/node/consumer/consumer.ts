// What a customer's TypeScript does with the package. It is compiled, not run.

import {
  GridkeyError,
  SealedKeyReceiver,
  SessionKey,
  WalletExportKey,
  capabilities,
  checkIntent,
  createGridkey,
  createPasskey,
  init,
  isGridkeyError,
  isSupported,
  oauthNonce,
  passkeyChallengeBytes,
  requestPasskey,
  type AgentDeviceCode,
  type AuthMethod,
  type AuthSession,
  type CheckedIntent,
  type DelegatedKey,
  type GridReply,
  type Gridkey,
  type GridkeyErrorCode,
  type Intent,
  type OAuthSignIn,
  type OAuthState,
  type OtpState,
  type PasskeyEnrolment,
  type PasskeySignIn,
  type Quote,
  type RequestEvent,
  type SessionState,
  type WalletSession,
} from "gridkey";

export async function signIn(authMethodId: string, signal: AbortSignal): Promise<WalletSession> {
  const gridkey: Gridkey = createGridkey({
    baseUrl: "/api/grid",
    headers: async () => ({ "X-CSRF": "token" }),
    credentials: "same-origin",
    onRequest: (event: RequestEvent) => {
      if (event.phase === "ended") {
        const took: number = event.durationMs;
        const code: GridkeyErrorCode | undefined = event.code;
        void [took, code];
      }
      // @ts-expect-error: only known when it has ended
      void event.durationMs;
    },
  });
  const session = await gridkey.signInWithPasskey({ authMethodId, signal, timeoutMs: 1000 });
  await session.refresh({ revokeOld: true });
  const { revokedAtGrid }: { revokedAtGrid: boolean } = await session.signOut();
  void revokedAtGrid;
  return session;
}

/** What is handed on as it was given, and a client's listener as React takes it. */
export async function handedOn({ api, subscribe }: Gridkey, accountId: string, signal?: AbortSignal, timeoutMs?: number): Promise<() => void> {
  await api.listAuthSessions({ accountId }, { signal, timeoutMs });
  return subscribe(() => {});
}

export async function byCode(gridkey: Gridkey, accountId: string): Promise<void> {
  const methods: AuthMethod[] = await gridkey.listAuthMethods({ accountId });
  const method = methods.find(({ type }) => type === "EMAIL_OTP");
  if (!method) return;
  using otp = await gridkey.sendOtp({ authMethodId: method.id });
  const state: OtpState = otp.state;
  const resumed = await gridkey.resumeOtp(state);
  using session = await resumed.submit("000000");
  const enrolment: PasskeyEnrolment = await session.preparePasskeyRegistration({ nickname: "Phone" });
  const added: AuthMethod = await enrolment.confirm();
  const prepared: PasskeySignIn = await gridkey.preparePasskey({ authMethodId: added.id });
  prepared.cancel();
  // @ts-expect-error: blind signing must be allowed
  void session.updatePrivacy({ privateEnabled: true });
  // @ts-expect-error: not built yet
  void session.keepAlive;
  // @ts-expect-error: an account is needed
  void gridkey.listAuthMethods({});
}

export async function byProvider(gridkey: Gridkey, authMethodId: string): Promise<string> {
  const signIn: OAuthSignIn = await gridkey.prepareOAuth({ authMethodId, clientId: "web", redirect: true });
  const state: OAuthState | undefined = signIn.state;
  if (!state) throw new Error("no state");
  const resumed = await gridkey.resumeOAuth(state);
  const session = await resumed.submit("a.b.c");
  const words: Uint8Array = await session.exportMnemonic({ organizationId: "org" });
  const intent: Intent = { kind: "setEmail", email: "ada@example.com", expiresAt: session.expiresAt.toISOString() };
  // @ts-expect-error: a kind that there is not
  const wrong: Intent = { kind: "constructor" };
  const checked: CheckedIntent = checkIntent("{}", intent, { now: Date.now() });
  const { quote } = await gridkey.api.createQuote(
    {
      source: { sourceType: "ACCOUNT", accountId: session.accountId },
      destination: { destinationType: "UMA_ADDRESS", umaAddress: "$bo@example.com", currency: "USD" },
      lockedCurrencySide: "SENDING",
      lockedCurrencyAmount: 100,
    },
    { idempotencyKey: "one" },
  );
  const paid: Quote = await session.executeQuote(quote, { allowBlindSigning: true });
  // @ts-expect-error: blind signing must be allowed
  void session.executeQuote(quote, {});
  const read = (payloadToSign: string): Intent => ({
    kind: "activity",
    activityType: "ACTIVITY_TYPE_CREATE_POLICIES",
    parameters: (JSON.parse(payloadToSign) as { parameters: unknown }).parameters,
  });
  const key: DelegatedKey = await session.createDelegatedKey({ cardId: "Card:1", nickname: "Card", intent: read });
  const answer: unknown = await session.signedRequest({ method: "POST", path: "/new", body: { a: 1 }, intent: read });
  return [words.length, wrong, checked.activityType, paid.status, key.status, answer].join();
}

export async function byHand(gridkey: Gridkey): Promise<AuthSession | undefined> {
  await init();
  const receiver = SealedKeyReceiver.generate();
  const challenged = await gridkey.api.challengeAuthCredential("AuthMethod:1", { clientPublicKey: receiver.publicKey });
  if (challenged.type !== "PASSKEY") return undefined;
  const { challenge } = challenged;
  const assertion = await requestPasskey(challenge, { rpId: "example.com" });
  const verified = await gridkey.api.verifyAuthCredential(challenge.id, { type: "PASSKEY", assertion }, { requestId: challenge.requestId });
  if (verified.status === 202) {
    const payload: string = verified.challenge.payloadToSign;
    void payload;
    // @ts-expect-error: not on this leg
    void verified.session;
    return undefined;
  }
  const { encryptedSessionSigningKey } = verified.session;
  if (encryptedSessionSigningKey === undefined) return undefined;
  gridkey.adoptSession(verified.session, receiver.open(encryptedSessionSigningKey));
  const deviceCode: AgentDeviceCode = (await gridkey.api.regenerateAgentDeviceCode("Agent:1")).deviceCode;
  void deviceCode.code;
  return verified.session;
}

export async function keys(): Promise<void> {
  const key = SessionKey.generate();
  const bundle: string = key.sealOtpCode("{}", "123456", { publicKeyEncoding: "compressed" });
  const stamp: string = await key.dangerouslyStampUnchecked("{}");
  const secret: Uint8Array = key.dangerouslyExportPrivateKey();
  const mnemonic: Uint8Array = WalletExportKey.generate().open("{}", { organizationId: "o" });
  const challenge: Uint8Array = passkeyChallengeBytes("0".repeat(64));
  const nonce: string = oauthNonce(key.publicKey);
  const made = await createPasskey({ nickname: "a", challenge: "A", user: { id: "A", name: "a" } });
  const transports: readonly ("usb" | "nfc" | "ble" | "internal" | "hybrid")[] = made.transports;
  void [bundle, stamp, secret, mnemonic, challenge, nonce, transports, isSupported(), (await capabilities()).passkeys];
  // @ts-expect-error: it is made by generate()
  new SessionKey();
  // @ts-expect-error: a receiver signs nothing
  void SealedKeyReceiver.generate().dangerouslyStampUnchecked;
  // @ts-expect-error: strings only
  void key.dangerouslyStampUnchecked(5);
}

/** Every code, so that a new one shows up here. */
export function say(error: unknown): string {
  if (!isGridkeyError(error)) return "unknown";
  const typed: GridkeyError = error;
  const code: GridkeyErrorCode = typed.code;
  switch (typed.recovery) {
    case "wait":
      return `${typed.retryAfterMs ?? 0}`;
    case "fix_input":
    case "integrator":
    case "other_method":
    case "retry":
    case "sign_in":
      break;
    default: {
      const none: never = typed.recovery;
      return none;
    }
  }
  // @ts-expect-error: there is no such code
  if (code === "otp_wrong") return "";
  return code === "otp_rejected" ? "Wrong code" : code;
}

export function show(state: SessionState): string {
  if (state.status === "signedOut") return state.reason ?? "";
  // @ts-expect-error: frozen
  state.session.id = "";
  return state.session.expiresAt.toISOString();
}

type IsAny<T> = 0 extends 1 & T ? true : false;
type Values<T> = { [K in keyof T]: IsAny<T[K]> };
type NoneIsAny<T> = true extends Values<T>[keyof T] ? false : true;
const noneIsAny: [
  NoneIsAny<Gridkey>,
  NoneIsAny<Gridkey["api"]>,
  NoneIsAny<WalletSession>,
  NoneIsAny<SessionKey>,
  NoneIsAny<Awaited<ReturnType<Gridkey["sendOtp"]>>>,
  IsAny<Awaited<ReturnType<WalletSession["addPasskey"]>>>,
] = [true, true, true, true, true, false];
void noneIsAny;

// Tests give answers of their own.
createGridkey({
  transport: async (call) => {
    const { operation, path, body, signal } = call;
    const texts: [string, string, string | undefined] = [operation, path, body];
    void [texts, signal.aborted];
    switch (call.operation) {
      case "refreshAuthSession": {
        const id: string = call.params.id;
        // @ts-expect-error: it is no quote
        void [id, call.params.quoteId];
        return { status: 200, body: {}, headers: new Headers() };
      }
      case "listCustomerInternalAccounts": {
        const [customerId, limit]: [string, string | undefined] = [call.params.customerId, call.params.limit];
        return { status: 200, body: [customerId, limit], headers: { "retry-after": "5", "set-cookie": ["a"], date: undefined } };
      }
      // @ts-expect-error: there is no such operation
      case "refreshAuthSessions":
        break;
    }
    // @ts-expect-error: numbers are no headers
    const wrong: GridReply = { status: 200, body: {}, headers: { "retry-after": 5 } };
    void wrong;
    return { status: 200, body: { data: [] }, retryAfterMs: 5 };
  },
  enclave: { dangerouslyTrust: { otp: "04", export: "unsigned-sandbox" } },
  sessionKeys: "client-held",
});
