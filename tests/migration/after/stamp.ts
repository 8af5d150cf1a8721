// #region
import type { Intent, SessionKey } from "gridkey";

export function stamp(key: SessionKey, payloadToSign: string, intent: Intent): Promise<string> {
  return key.stamp(payloadToSign, intent); // { kind: "setEmail", email: "ada@example.com" }, say
}
// #endregion
