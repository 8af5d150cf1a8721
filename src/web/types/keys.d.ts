/** Which enclave signs, where it is not the production enclave of that role. */
export interface EnclaveTrust {
  /** The enclave's public key: P-256, SEC1 uncompressed, 130 hexadecimal digits. */
  enclaveKey?: string;
}

/** What `SessionKey.sealOtpCode` may be told. */
export interface SealOtpCodeOptions extends EnclaveTrust {
  /** How the session's public key is written next to the code. Grid's documents have the uncompressed form, and so has the default; Turnkey's documents have the compressed one. */
  publicKeyEncoding?: "uncompressed" | "compressed";
}

/** What `WalletExportKey.open` checks. */
export interface ExpectedWalletExport extends EnclaveTrust {
  /** The organization whose wallet was asked for, from the payload that was signed. */
  organizationId: string;
}

/** What a passkey ceremony may be told. */
export interface PasskeyOptions {
  /** The relying party, where it is not the page's own domain but a parent of it. */
  rpId?: string;
  /** How long the prompt may stay open, in milliseconds. Browsers take it as advice. */
  timeoutMs?: number;
  /** Closes the prompt. */
  signal?: AbortSignal;
}

/** A passkey's answer to a challenge. All members are base64url without padding. */
export interface PasskeyAssertion {
  credentialId: string;
  clientDataJson: string;
  authenticatorData: string;
  signature: string;
  userHandle?: string;
}

/** A new passkey. Bytes are base64url without padding. */
export interface PasskeyAttestation {
  credentialId: string;
  clientDataJson: string;
  attestationObject: string;
  /** How the authenticator can be reached; what Grid does not know is left out. */
  transports: PasskeyTransport[];
}

/** The transports that Grid knows. */
export type PasskeyTransport = "usb" | "nfc" | "ble" | "internal" | "hybrid";

/** What the making of a passkey needs: from your backend, or from the relay's registration options. */
export interface PasskeyRegistration {
  /** The passkey's name in the account: 1 to 100 letters, numbers, spaces or `. _ - ' ( )`. */
  nickname: string;
  /** Your backend's random challenge, base64url without padding, at least 16 bytes. */
  challenge: string;
  rp?: { id?: string; name?: string };
  user: {
    /** Opaque and stable, base64url without padding, 1 to 64 bytes. Not an e-mail address. */
    id: string;
    /** The account's name, as the prompt shows it. */
    name: string;
    /** The person's name; without it, `name`. */
    displayName?: string;
  };
  /** The account's passkeys: a device that holds one of them makes no second one. */
  excludeCredentials?: readonly { id: string; type?: "public-key"; transports?: readonly string[] }[];
}

/**
 * What a payload is to be signed for. A payload that asks for anything else, or for more, is
 * refused with `intent_refused`; `reason` of the error names the check.
 *
 * `organizationId` is the customer's organization, where you know it. `expiresAt` is the
 * challenge's or quote's own. The payload must be of the last 15 minutes by this device's clock, a
 * quote's with an `expiresAt` of the last day.
 *
 * Two kinds are signed blind, and say so by `allowBlindSigning`: a quote's payload shows neither
 * amount nor payee, and a wallet's privacy is set by signing a hash, which may as well be a
 * payment's. Revocations name ids that only Turnkey knows, so which credential or session they end
 * cannot be seen. A passkey's challenge is a hash, and cannot be checked at all.
 */
export type Intent = { organizationId?: string; expiresAt?: string } & (
  | {
      kind: "addPasskey";
      credentialId: string;
      clientDataJson: string;
      attestationObject: string;
      challenge: string;
      nickname?: string;
    }
  | { kind: "addOauth"; oidcToken: string }
  | { kind: "setEmail"; email: string }
  | { kind: "setPhone"; phoneNumber: string }
  | { kind: "revokePasskey" }
  | { kind: "revokeOauth" }
  | { kind: "revokeSession" }
  | { kind: "refreshSession"; clientPublicKey: string }
  | { kind: "exportWallet"; clientPublicKey: string; walletId?: string }
  /** A one-time code's token. `publicKeyHex` was sealed with the code; `quorumPublicKey` is the enclave's, where it is not the production one's. */
  | { kind: "verifyOtp"; publicKeyHex: string; contact?: string; quorumPublicKey?: string }
  | { kind: "executeQuote"; signWith?: string; allowBlindSigning: true }
  | { kind: "updatePrivacy"; signWith?: string; allowBlindSigning: true }
  /** Exactly this activity: for what Grid adds, or does not document. */
  | { kind: "activity"; activityType: string; parameters: unknown }
);

/** Reads a payload that this package does not know and says what it must be. Take nothing from the payload that you can know otherwise: an `organizationId` out of it proves nothing. */
export type IntentOf = (payloadToSign: string) => Intent | Promise<Intent>;

/** What a checked payload says. */
export interface CheckedIntent {
  /** The organization it is for. */
  organizationId?: string;
  /** Turnkey's name of what it asks for. */
  activityType?: string;
  /** Of a payload that is signed blind: its SHA-256, 64 hexadecimal digits, to be shown or logged. */
  fingerprint?: string;
}
