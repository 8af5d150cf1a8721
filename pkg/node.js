// The package for Node: the same, but for where the WebAssembly is read from.

import { readFile } from "node:fs/promises";
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

const find = () => readFile(new URL("./wasm/gridkey_bg.wasm", import.meta.url));

export const init = (source) => load(source, find);

export const createGridkey = (options) => new Gridkey(options, init);
