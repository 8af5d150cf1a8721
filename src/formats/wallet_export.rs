//! A wallet's mnemonic, sealed by the enclave for the customer: `encryptedWalletCredentials`.

#![forbid(unsafe_code)]

use std::cell::Cell;

use zeroize::Zeroizing;

use crate::{
    crypto::{
        enclave::{
            ExportTrust, MAX_BUNDLE_BYTES, malformed, open_envelope, open_unsigned_envelope,
            read_bundle, uncompressed_key,
        },
        encoding::hex,
        hpke,
        json::Json,
        key::{PrivateKey, PublicKey},
        random::Random,
    },
    error::{Error, ErrorCode, Result},
};

/// Receives one wallet export; used up by one success. It signs nothing.
///
/// Wiped when used up or dropped. It cannot be copied or printed, and it has no way to stamp:
///
/// ```compile_fail
/// fn clone<T: Clone>() {}
/// clone::<gridkey::formats::wallet_export::WalletExportKey>();
/// ```
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<gridkey::formats::wallet_export::WalletExportKey>();
/// ```
///
/// ```compile_fail
/// fn stamp(key: &gridkey::formats::wallet_export::WalletExportKey) {
///     let _ = key.stamp_unchecked("");
/// }
/// ```
pub struct WalletExportKey {
    public: PublicKey,
    /// Empty once used up.
    key: Cell<Option<PrivateKey>>,
}

impl WalletExportKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        Ok(Self::from_key(PrivateKey::generate(random)?))
    }

    /// From 32 bytes, big-endian, `0 < d < n`. Fails with `invalid_argument`.
    pub fn from_private_key(bytes: &[u8]) -> Result<Self> {
        Ok(Self::from_key(PrivateKey::from_bytes(bytes)?))
    }

    fn from_key(key: PrivateKey) -> Self {
        Self {
            public: key.public_key().clone(),
            key: Cell::new(Some(key)),
        }
    }

    /// The public key. Grid takes its uncompressed form only.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Opens `encryptedWalletCredentials` and returns the mnemonic as UTF-8.
    ///
    /// An envelope around `{"encappedPublic":"<SEC1 uncompressed, hex>","ciphertext":"<hex>",
    /// "organizationId":"<id>"}`, at most 64 KiB (tkhq/sdk@aaede6f packages/crypto/src/turnkey.ts,
    /// `decryptExportBundle`). `organization_id` is the one that the customer's own signed request
    /// named: without it a relay could hand out another wallet.
    ///
    /// Fails with `invalid_argument` (empty organization, or used up), `bundle_malformed`,
    /// `bundle_untrusted` (also, with the reason `organization_mismatch`, for another
    /// organization) or `decrypt_failed`. After a failure the key can be used again.
    pub fn open(
        &self,
        encrypted_wallet_credentials: &str,
        organization_id: &str,
        trust: &ExportTrust,
    ) -> Result<Zeroizing<Vec<u8>>> {
        if organization_id.is_empty() {
            return Err(Error::invalid_argument(
                "An organizationId is needed to open a wallet export.",
            ));
        }
        let Some(key) = self.key.take() else {
            return Err(Error::invalid_argument(
                "This export key has been used. Make a new one for each export.",
            ));
        };
        let opened = open_with(&key, encrypted_wallet_credentials, organization_id, trust);
        if opened.is_err() {
            self.key.set(Some(key));
        }
        opened
    }
}

fn open_with(
    key: &PrivateKey,
    encrypted_wallet_credentials: &str,
    organization_id: &str,
    trust: &ExportTrust,
) -> Result<Zeroizing<Vec<u8>>> {
    let data = match trust {
        ExportTrust::Key(trusted) => open_envelope(encrypted_wallet_credentials, trusted)?,
        ExportTrust::UnsignedSandbox => open_unsigned_envelope(encrypted_wallet_credentials)?,
    };
    let text = std::str::from_utf8(&data).map_err(|_| malformed("its data is not UTF-8"))?;
    let export = read_bundle(text)?;
    let member = |name: &str| {
        export
            .get(name)
            .and_then(Json::as_str)
            .ok_or_else(|| malformed(&format!("its data has no text `{name}`")))
    };
    if member("organizationId")? != organization_id {
        return Err(Error::new(
            ErrorCode::BundleUntrusted,
            "The wallet export belongs to another organization than the one that was asked for.",
        )
        .with_reason("organization_mismatch"));
    }
    let encapped = uncompressed_key(member("encappedPublic")?)
        .ok_or_else(|| malformed("its encappedPublic is not an uncompressed P-256 key"))?;
    let ciphertext = hex::decode(member("ciphertext")?, MAX_BUNDLE_BYTES)
        .map_err(|_| malformed("its ciphertext is not hex"))?;
    let mnemonic = hpke::open(key, &encapped, &ciphertext)?;
    match std::str::from_utf8(&mnemonic) {
        Ok(_) => Ok(mnemonic),
        Err(_) => Err(malformed("it opens to something that is not UTF-8")),
    }
}
