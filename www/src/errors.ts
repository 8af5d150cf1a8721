import { isGridkeyError, type GridkeyError, type GridkeyErrorCode } from "gridkey";
import { ProviderError, type ProviderSetback } from "./provider.ts";

/** What happened and what to do, for the person in front of the page. */
type Sentences = Record<GridkeyErrorCode, string>;

const OUR_MISTAKE = "Nothing was changed. Please try again later or contact support.";

// A record, not a switch: a code that the package adds without a sentence here does not compile.
const SENTENCES: Sentences = {
  aborted: "You stopped this. Try again when you are ready.",
  bundle_malformed: `The wallet service sent something this page cannot read. ${OUR_MISTAKE}`,
  bundle_untrusted: `The wallet service could not prove that an answer is its own, so the answer was not used. ${OUR_MISTAKE}`,
  challenge_expired: "That took too long and the request ran out. Try again now.",
  clock_wrong: "The clock of this device is wrong. Set the date and time to automatic, then try again.",
  conflict: "This cannot be done right now, because something else has changed meanwhile. Reload the page and look again.",
  credential_already_exists: "Your wallet already has this way to sign in. Use it, or choose another one.",
  decrypt_failed: "The answer could not be opened on this device. Try again.",
  forbidden: "You are not allowed to do this. If you think you should be, contact support.",
  grid_error: `The wallet service refused this. ${OUR_MISTAKE}`,
  instance_lost: "The page had to start its secure part afresh. Try again.",
  intent_refused: `The wallet service asked for a signature you did not ask for, so nothing was signed. ${OUR_MISTAKE}`,
  invalid_argument: "Some of this cannot be used. Check what you entered and try again.",
  network: "The server could not be reached. Check your connection and try again.",
  not_found: "This no longer exists. Reload the page and look again.",
  oauth_rejected: "Your identity provider's answer was not accepted. Sign in there again, then try again.",
  otp_expired: "That code has run out. Ask for another one.",
  otp_rejected: "That code is not right, or has run out. Check it and enter it again, or ask for another one.",
  passkey_already_registered: "This device already has a passkey for your wallet. Use it to sign in, or add one on another device.",
  passkey_not_used: "No passkey was used: the prompt was closed or timed out, or no passkey fitted. Try again, or choose another way.",
  passkey_rejected: "Your passkey was not accepted, perhaps because it took too long. Try again, or choose another way.",
  passkey_unsupported: "This browser or device cannot use passkeys. Choose another way, or another browser.",
  randomness_unavailable: "This browser cannot make secure keys. Use another browser or device.",
  rate_limited: "There were too many attempts. Wait a moment, then try again.",
  relay_protocol: `The server sent an answer this page cannot read. ${OUR_MISTAKE}`,
  session_expired: "Your session has ended. Sign in again to go on.",
  signature_rejected: "Your session was not accepted any more. Sign in again to go on.",
  signed_out_of_platform: "You are signed out of this site. Sign in to the site again, then unlock your wallet here.",
  storage_unavailable: "This browser does not let this page keep its key, as in a private window. Choose another way, or another window.",
  timeout: "The server took too long to answer. Check your connection and try again.",
  unsupported_operation: "This is switched off here. Contact support if you need it.",
  used_after_free: "This page has lost track of your session. Reload it and sign in again.",
  wasm_blocked_by_csp: "This page is not allowed to run its secure part here. Please contact support.",
  wasm_unavailable: "This browser could not load the secure part of the page. Update the browser or turn off its lockdown mode, then reload.",
};

/** Where no token came of an identity provider. */
const PROVIDER_SETBACKS: Record<ProviderSetback, string> = {
  blocked: "The browser did not open the window. Allow this page to open windows, then try again.",
  closed: "The window was closed before you had signed in there. Try again when you are ready.",
  denied: "You did not sign in there. Try again when you are ready.",
  foreign: "An answer came that does not belong to a sign-in begun here, so it was not used. Try again.",
};

const SERVER_TROUBLE = "The server has trouble at the moment. Try again.";
/** Where the same code may also come of a server that fails for a moment, and `recovery` tells which. */
const PASSING: Partial<Sentences> = { grid_error: SERVER_TROUBLE, relay_protocol: SERVER_TROUBLE };
const UNEXPECTED = "Something went wrong on this page. Reload it and try again.";

/** Says it better than the general sentences, where the page knows more. */
export type Special = (error: GridkeyError) => string | undefined;

/** The sentence for whatever was thrown. */
export function sentence(error: unknown, special?: Special): string {
  if (error instanceof ProviderError) return PROVIDER_SETBACKS[error.setback];
  if (!isGridkeyError(error)) return UNEXPECTED;
  const { code, recovery, retryAfterMs } = error;
  if (code === "rate_limited" && retryAfterMs !== undefined) {
    return `There were too many attempts. You can try again in ${Math.ceil(retryAfterMs / 1000)} seconds.`;
  }
  return special?.(error) ?? (recovery === "retry" ? PASSING[code] : undefined) ?? SENTENCES[code] ?? UNEXPECTED;
}
