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
