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
