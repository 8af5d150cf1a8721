// #region
import type { Gridkey, WalletSession } from "gridkey";

export async function emailOtpAuth(gridkey: Gridkey, authMethodId: string, promptOtp: () => Promise<string>): Promise<WalletSession> {
  using otp = await gridkey.sendOtp({ authMethodId });
  return otp.submit(await promptOtp());
}
// #endregion
