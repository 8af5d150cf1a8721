// The page's own code, which is what is tested: by passkey, and where that is not to be had by a code.

import { isGridkeyError } from "gridkey";

export async function signIn(gridkey, accountId, { askForCode, say }) {
  const methods = await gridkey.listAuthMethods({ accountId });
  const { id: authMethodId } = methods.find(({ type }) => type === "PASSKEY");
  try {
    return await gridkey.signInWithPasskey({ authMethodId, accountId });
  } catch (error) {
    if (!isGridkeyError(error) || error.code !== "passkey_not_used") throw error;
    say("No passkey? We have sent you a code.");
  }
  const otp = await gridkey.sendOtp({ authMethodId: methods.find(({ type }) => type === "EMAIL_OTP").id, accountId });
  for (;;) {
    try {
      return await otp.submit(await askForCode());
    } catch (error) {
      if (!isGridkeyError(error) || error.code !== "otp_rejected") throw error;
      say("That was not the code.");
    }
  }
}
