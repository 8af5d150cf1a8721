// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridClient.ts and gridSession.ts, as far as they are used here

export interface GridEnvelope {
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  response: { status: number; body: unknown; headers?: Record<string, string> };
}
export interface AuthCallbacks {
  promptOtp: () => Promise<string>;
  log: (env: GridEnvelope) => void;
  onFaceId?: () => Promise<void>;
}
export interface WalletAccount {
  accountId: string;
  emailOtpCredentialId: string;
}
export interface Session {
  privHex: string;
  accountId: string;
  expiresAt: number;
  via: 'passkey' | 'email_otp';
}
