// What every entry of the package has alike. They differ in where the WebAssembly comes from.

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
  Gridkey,
} from "./facade.js";
export { GridkeyError, isGridkeyError } from "./errors.js";
export { capabilities } from "./capabilities.js";
export { isSupported } from "./load.js";
export { WASM_INTEGRITY } from "./wasm/build.js";
