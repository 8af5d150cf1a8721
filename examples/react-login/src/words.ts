import { isGridkeyError, type GridkeyErrorCode } from "gridkey";

const OURS = "Something went wrong on our side, and nothing was changed. Try again later, or contact support.";
const SECURE_PART = "The secure part of this page could not be loaded. Reload the page, or try another browser.";

/** What to tell people. A code that a newer version adds does not compile until it is here. */
const WORDS: Record<GridkeyErrorCode, string> = {
  aborted: "",
  bundle_malformed: OURS,
  bundle_untrusted: OURS,
  challenge_expired: "That took too long. Try again.",
  clock_wrong: "The clock of this device is wrong. Set date and time to automatic, then try again.",
  conflict: "That is not possible any more. Reload the page.",
  credential_already_exists: "You can already sign in that way.",
  decrypt_failed: "Something went wrong on the way. Try again.",
  forbidden: "You are not allowed to open this wallet. Contact support.",
  grid_error: OURS,
  instance_lost: "This page had to start over. Sign in again.",
  intent_refused: OURS,
  invalid_argument: "That does not look right. Check it, and try again.",
  network: "There is no connection. Check it, and try again.",
  not_found: "That is not there any more. Reload the page.",
  oauth_rejected: "Your identity provider was not believed. Sign in there again.",
  otp_expired: "That code has run out. Ask for another one.",
  otp_rejected: "That code is not right. Check it, or ask for another one.",
  passkey_already_registered: "This device already has a passkey for your wallet.",
  passkey_not_used: "No passkey was used. Try again, or take a code by e-mail.",
  passkey_rejected: "Your passkey was not accepted. Try again, or take a code by e-mail.",
  passkey_unsupported: "This browser cannot use passkeys here. Take a code by e-mail.",
  randomness_unavailable: SECURE_PART,
  rate_limited: "There were too many attempts. Wait a little.",
  relay_protocol: OURS,
  session_expired: "Your session has ended. Sign in again.",
  signature_rejected: "Your session has ended. Sign in again.",
  signed_out_of_platform: "You are signed out of this site. Sign in to the site first.",
  storage_unavailable: "This browser does not let the page remember anything. Try another window.",
  timeout: "The server takes too long. Check your connection, and try again.",
  unsupported_operation: "This is switched off here. Contact support.",
  used_after_free: "This page had to start over. Reload it.",
  wasm_blocked_by_csp: SECURE_PART,
  wasm_unavailable: SECURE_PART,
};

export interface Trouble {
  readonly text: string;
  readonly code?: GridkeyErrorCode;
  /** When it may be tried again, in milliseconds since 1970. */
  readonly retryAt: number;
}

/** Whatever was thrown, for people. Nothing where they stopped it themselves. */
export function trouble(error: unknown): Trouble | undefined {
  if (!isGridkeyError(error)) {
    reportError(error);
    return { text: OURS, retryAt: 0 };
  }
  const { code, recovery, retryAfterMs } = error;
  if (code === "aborted") return undefined;
  // The same code for a server that fails for a moment and for one that refuses.
  const text = recovery === "retry" && WORDS[code] === OURS ? "The server has trouble. Try again." : WORDS[code];
  return { text, code, retryAt: retryAfterMs === undefined ? 0 : Date.now() + retryAfterMs };
}
