// #region
import { isGridkeyError } from "gridkey";

export function whatHelps(error: unknown): string {
  if (!isGridkeyError(error)) throw error;
  return `${error.code}: ${error.recovery}`; // "otp_rejected: fix_input"
}
// #endregion
