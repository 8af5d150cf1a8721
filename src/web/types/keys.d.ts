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
  timeoutMs?: number | undefined;
  /** Closes the prompt. */
  signal?: AbortSignal | undefined;
}

/** A passkey's answer to a challenge. All members are base64url without padding. */
export interface PasskeyAssertion {
  /** WebAuthn's `id`. */
  credentialId: string;
  /** WebAuthn's `response.clientDataJSON`. */
  clientDataJson: string;
  /** WebAuthn's `response.authenticatorData`. */
  authenticatorData: string;
  /** WebAuthn's `response.signature`. */
  signature: string;
  /** WebAuthn's `response.userHandle`: `user.id` of the making, where the authenticator gives it. */
  userHandle?: string;
}

/** A new passkey. Bytes are base64url without padding. */
export interface PasskeyAttestation {
  /** WebAuthn's `id`. */
  credentialId: string;
  /** WebAuthn's `response.clientDataJSON`. */
  clientDataJson: string;
  /** WebAuthn's `response.attestationObject`. */
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
  /** The relying party, where it is not the page's own domain: its domain, and its name in the prompt. */
  rp?: { id?: string; name?: string };
  /** Whose passkey it will be. */
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
export type Intent = {
  /** The customer's organization at Turnkey. */
  organizationId?: string;
  /** The challenge's or quote's own, RFC 3339. */
  expiresAt?: string;
} & (
  | {
      kind: "addPasskey";
      /** As in {@link PasskeyAttestation}, base64url. */
      credentialId: string;
      /** As in {@link PasskeyAttestation}, base64url. */
      clientDataJson: string;
      /** As in {@link PasskeyAttestation}, base64url. */
      attestationObject: string;
      /** What the passkey was made with, base64url. */
      challenge: string;
      /** The passkey's name, as it was sent. */
      nickname?: string;
    }
  | {
      kind: "addOauth";
      /** The token that was sent: a JWT. */
      oidcToken: string;
    }
  | {
      kind: "setEmail";
      /** The new e-mail address. */
      email: string;
    }
  | {
      kind: "setPhone";
      /** The new phone number, E.164. */
      phoneNumber: string;
    }
  | { kind: "revokePasskey" }
  | { kind: "revokeOauth" }
  | { kind: "revokeSession" }
  | {
      kind: "refreshSession";
      /** The new session's key, as it was sent: SEC1, 66 or 130 hexadecimal digits. */
      clientPublicKey: string;
    }
  | {
      kind: "exportWallet";
      /** The key that the mnemonic is sealed to, as it was sent: SEC1 uncompressed, 130 hexadecimal digits. */
      clientPublicKey: string;
      /** The wallet's id at Turnkey, where you know it. */
      walletId?: string;
    }
  | {
      /** A one-time code's token. */
      kind: "verifyOtp";
      /** The key that was sealed with the code, which must be the one that stamps: SEC1, 66 or 130 hexadecimal digits. */
      publicKeyHex: string;
      /** The address or number that the code went to, where you know it. */
      contact?: string;
      /** The enclave's key, where it is not the production one's: SEC1, 66 or 130 hexadecimal digits. */
      quorumPublicKey?: string;
    }
  | {
      kind: "executeQuote";
      /** The wallet's address, where you know it: the one that must sign. */
      signWith?: string;
      /** The payload shows neither amount nor payee. */
      allowBlindSigning: true;
    }
  | {
      kind: "updatePrivacy";
      /** The wallet's address, where you know it: the one that must sign. */
      signWith?: string;
      /** The payload is a hash. */
      allowBlindSigning: true;
    }
  | {
      /** Exactly this activity: for what Grid adds, or does not document. */
      kind: "activity";
      /** Turnkey's name of it: `"ACTIVITY_TYPE_…"`. */
      activityType: string;
      /** Its `parameters`, all of them. */
      parameters: unknown;
    }
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
