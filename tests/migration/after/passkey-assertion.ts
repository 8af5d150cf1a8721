// #region
import { requestPasskey, type PasskeyAssertion } from "gridkey";

export function assertion(pk: { challenge: string; credentialId: string }): Promise<PasskeyAssertion> {
  return requestPasskey(pk); // as /challenge gave it; what it resolves to is what /verify takes
}
// #endregion
