// The package for browsers, workers and bundlers.

import { Gridkey } from "./facade.js";
import { load } from "./load.js";

export {
  OAuthSignIn,
  OtpSignIn,
  PasskeyEnrolment,
  PasskeySignIn,
  SealedKeyReceiver,
  SessionKey,
  WalletExportKey,
  WalletSession,
  checkIntent,
  createPasskey,
  oauthNonce,
  passkeyChallengeBytes,
  requestPasskey,
} from "./facade.js";
export { GridkeyError, isGridkeyError } from "./errors.js";
export { capabilities } from "./capabilities.js";
export { isSupported } from "./load.js";
export { Gridkey };

/** Bundlers know this form: they put the file next to the code and fill in its address. */
const find = () => new URL("./wasm/gridkey_bg.wasm", import.meta.url);

export const init = (source) => load(source, find);

export const createGridkey = (options) => new Gridkey(options, init);
