// #region
import type { Gridkey, PasskeySignIn, WalletSession } from "gridkey";

// Ahead of the tap: what needs the network …
export function prepare(gridkey: Gridkey, authMethodId: string): Promise<PasskeySignIn> {
  return gridkey.preparePasskey({ authMethodId });
}

// … and inside it: the prompt.
export function passkeyAuth(signIn: PasskeySignIn): Promise<WalletSession> {
  return signIn.confirm();
}
// #endregion
