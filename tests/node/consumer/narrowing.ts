// Unions are told apart by the member that names the case, and are known to be complete. It is
// compiled, not run: a case that is added, or renamed, stops it here as it does in an app.

import type {
  AuthMethodType,
  CreateAuthCredentialBody,
  GridOperations,
  GridkeyError,
  GridkeyErrorCode,
  GridkeyErrorRecovery,
  Intent,
  PasskeyTransport,
  RequestEvent,
  SessionState,
  VerifyAuthCredentialBody,
} from "gridkey";

function assertNever(value: never): never {
  throw new Error(`${value as string}`);
}

export function byCode(error: GridkeyError): string {
  const code: GridkeyErrorCode = error.code;
  switch (code) {
    case "otp_expired":
    case "otp_rejected":
      return "the code";
    case "credential_already_exists":
    case "oauth_rejected":
    case "passkey_already_registered":
    case "passkey_not_used":
    case "passkey_rejected":
    case "passkey_unsupported":
      return "the way of signing in";
    case "challenge_expired":
    case "session_expired":
    case "signed_out_of_platform":
      return "too late";
    case "network":
    case "rate_limited":
    case "timeout":
      return "the network";
    case "clock_wrong":
    case "randomness_unavailable":
    case "storage_unavailable":
    case "wasm_blocked_by_csp":
    case "wasm_unavailable":
      return "this device";
    case "aborted":
    case "bundle_malformed":
    case "bundle_untrusted":
    case "conflict":
    case "decrypt_failed":
    case "forbidden":
    case "grid_error":
    case "instance_lost":
    case "intent_refused":
    case "invalid_argument":
    case "not_found":
    case "relay_protocol":
    case "signature_rejected":
    case "unsupported_operation":
    case "used_after_free":
      return "something else";
    default:
      return assertNever(code);
  }
}

export function byRecovery(recovery: GridkeyErrorRecovery): boolean {
  switch (recovery) {
    case "retry":
    case "wait":
      return true;
    case "fix_input":
    case "integrator":
    case "other_method":
    case "sign_in":
      return false;
    default:
      return assertNever(recovery);
  }
}

export function byStatus(state: SessionState): string | undefined {
  switch (state.status) {
    case "signedIn":
      // @ts-expect-error: of the other status
      void state.reason;
      return state.session.nickname;
    case "signedOut":
      // @ts-expect-error: of the other status
      void state.session;
      return state.reason;
    default:
      return assertNever(state);
  }
}

export function byPhase(event: RequestEvent): number {
  switch (event.phase) {
    case "sent":
      return event.leg;
    case "ended":
      return event.durationMs;
    default:
      return assertNever(event);
  }
}

export function byType(type: AuthMethodType, transport: PasskeyTransport): string {
  switch (type) {
    case "EMAIL_OTP":
    case "SMS_OTP":
      return "a code";
    case "OAUTH":
      return "a provider";
    case "PASSKEY":
      break;
    default:
      return assertNever(type);
  }
  switch (transport) {
    case "ble":
    case "hybrid":
    case "internal":
    case "nfc":
    case "usb":
      return transport;
    default:
      return assertNever(transport);
  }
}

export function byKind(intent: Intent): string | undefined {
  switch (intent.kind) {
    case "activity":
      return intent.activityType;
    case "addOauth":
      return intent.oidcToken;
    case "addPasskey":
      return intent.credentialId;
    case "executeQuote":
    case "updatePrivacy":
      return intent.signWith;
    case "exportWallet":
    case "refreshSession":
      return intent.clientPublicKey;
    case "revokeOauth":
    case "revokePasskey":
    case "revokeSession":
      return intent.organizationId;
    case "setEmail":
      // @ts-expect-error: of another kind
      void intent.phoneNumber;
      return intent.email;
    case "setPhone":
      return intent.phoneNumber;
    case "verifyOtp":
      return intent.publicKeyHex;
    default:
      return assertNever(intent);
  }
}

export function bodies(create: CreateAuthCredentialBody, verify: VerifyAuthCredentialBody): string {
  switch (verify.type) {
    case "EMAIL_OTP":
    case "SMS_OTP":
      return verify.encryptedOtpBundle;
    case "OAUTH":
      return verify.clientPublicKey;
    case "PASSKEY":
      break;
    default:
      return assertNever(verify);
  }
  switch (create.type) {
    case "EMAIL_OTP":
    case "SMS_OTP":
      return create.accountId;
    case "OAUTH":
      return create.oidcToken;
    case "PASSKEY":
      return create.attestation.credentialId;
    default:
      return assertNever(create);
  }
}

export async function legs(api: GridOperations): Promise<string> {
  const challenged = await api.challengeAuthCredential("AuthMethod:1");
  switch (challenged.type) {
    case "EMAIL_OTP":
    case "SMS_OTP":
      // @ts-expect-error: of the other type
      void challenged.challenge;
      void challenged.authMethod.otpEncryptionTargetBundle;
      break;
    case "PASSKEY":
      void challenged.challenge.requestId;
      break;
    default:
      return assertNever(challenged);
  }
  const revoked = await api.revokeAuthSession("Session:1");
  switch (revoked.status) {
    case 202:
      return revoked.challenge.payloadToSign;
    case 204:
      // @ts-expect-error: of the other leg
      void revoked.challenge;
      break;
    default:
      return assertNever(revoked);
  }
  const refreshed = await api.refreshAuthSession("Session:1", { clientPublicKey: "02" });
  switch (refreshed.status) {
    case 202:
      return refreshed.challenge.requestId;
    case 201:
      return refreshed.session.id;
    default:
      return assertNever(refreshed);
  }
}
