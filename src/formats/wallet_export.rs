//! A wallet's mnemonic, sealed by the enclave for the customer: `encryptedWalletCredentials`.

#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::cell::Cell;

use zeroize::Zeroizing;

use crate::{
    crypto::{
        enclave::{
            ExportTrust, MAX_BUNDLE_BYTES, malformed, member, open_envelope,
            open_unsigned_envelope, read_data, uncompressed_key,
        },
        encoding::hex,
        hpke,
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
/// fn print<T: core::fmt::Debug>() {}
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
    let export = read_data(&data)?;
    let member = |name| member(&export, "its data has", name);
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
    match core::str::from_utf8(&mnemonic) {
        Ok(_) => Ok(mnemonic),
        Err(_) => Err(malformed("it opens to something that is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::crypto::{json::Json, random::SystemRandom};

    const MNEMONIC: &str = "leaf lady until";

    #[test]
    fn opens_once() {
        let export = Export::new();
        let opened = export.open(&export.bundle(MNEMONIC.as_bytes())).unwrap();
        assert_eq!(*opened, MNEMONIC.as_bytes());
        let again = export
            .open(&export.bundle(MNEMONIC.as_bytes()))
            .err()
            .unwrap();
        assert_eq!(again.code(), ErrorCode::InvalidArgument);
        // What is public stays.
        assert_eq!(export.key.public_key().to_uncompressed_hex().len(), 130);
    }

    #[test]
    fn a_failure_does_not_use_it_up() {
        let export = Export::new();
        let bundle = export.bundle(MNEMONIC.as_bytes());
        let trust = ExportTrust::Key(export.signer.public_key().clone());
        let other_organization = export.key.open(&bundle, "other", &trust).err().unwrap();
        assert_eq!(other_organization.code(), ErrorCode::BundleUntrusted);
        assert_eq!(other_organization.reason(), Some("organization_mismatch"));
        let no_organization = export.key.open(&bundle, "", &trust).err().unwrap();
        assert_eq!(no_organization.code(), ErrorCode::InvalidArgument);
        assert!(export.open("").is_err());
        assert!(export.open(&Export::new().bundle(b"x")).is_err());
        assert!(export.open(&bundle).is_ok());
    }

    /// A mnemonic in another language is not ASCII; bytes that are not UTF-8 are no mnemonic.
    #[test]
    fn mnemonics_are_strict_utf_8() {
        let export = Export::new();
        let not_utf_8 = export.open(&export.bundle(&[0xc3, 0x28])).err().unwrap();
        assert_eq!(not_utf_8.code(), ErrorCode::BundleMalformed);
        let japanese = "あいこくしん あいさつ";
        let opened = export.open(&export.bundle(japanese.as_bytes())).unwrap();
        assert_eq!(*opened, japanese.as_bytes());
    }

    #[test]
    fn what_was_sealed_for_another_key_does_not_open() {
        let export = Export::new();
        let other = PrivateKey::generate(&SystemRandom).unwrap();
        let bundle = export.bundle_for(other.public_key(), MNEMONIC.as_bytes());
        assert_eq!(
            export.open(&bundle).err().unwrap().code(),
            ErrorCode::DecryptFailed
        );
    }

    #[test]
    fn unsigned_exports_need_that_to_be_said() {
        let export = Export::new();
        let signed = export.bundle(MNEMONIC.as_bytes());
        let envelope = read_data(signed.as_bytes()).unwrap();
        let unsigned = Json::object([
            ("version", "v1.0.0".into()),
            ("data", envelope.get("data").unwrap().clone()),
            ("dataSignature", "".into()),
            ("enclaveQuorumPublic", "".into()),
        ])
        .to_text();
        assert_eq!(
            export.open(&unsigned).err().unwrap().code(),
            ErrorCode::BundleUntrusted
        );
        let sandbox = ExportTrust::UnsignedSandbox;
        let refused = export.key.open(&signed, "org", &sandbox).err().unwrap();
        assert_eq!(refused.code(), ErrorCode::BundleUntrusted);
        assert_eq!(
            *export.key.open(&unsigned, "org", &sandbox).unwrap(),
            MNEMONIC.as_bytes()
        );
    }

    #[test]
    fn refuses_signed_data_of_another_shape() {
        let export = Export::new();
        for data in ["", "{}", r#"{"organizationId":"org"}"#, "[]"] {
            let error = export.open(&export.sign(data.as_bytes())).err().unwrap();
            assert_eq!(error.code(), ErrorCode::BundleMalformed, "{data}");
        }
        let sealed = hpke::seal(export.key.public_key(), b"x", &SystemRandom).unwrap();
        for encapped in [
            sealed.encapped.to_compressed_hex(),
            "04".to_owned(),
            String::new(),
        ] {
            let data = data(&encapped, &sealed.ciphertext);
            let error = export.open(&export.sign(data.as_bytes())).err().unwrap();
            assert_eq!(error.code(), ErrorCode::BundleMalformed, "{encapped}");
        }
        let short = data(&sealed.encapped.to_uncompressed_hex(), &[0; 15]);
        let error = export.open(&export.sign(short.as_bytes())).err().unwrap();
        assert_eq!(error.code(), ErrorCode::DecryptFailed);
    }

    struct Export {
        signer: PrivateKey,
        key: WalletExportKey,
    }

    impl Export {
        fn new() -> Self {
            Self {
                signer: PrivateKey::generate(&SystemRandom).unwrap(),
                key: WalletExportKey::generate(&SystemRandom).unwrap(),
            }
        }

        fn bundle(&self, plaintext: &[u8]) -> String {
            self.bundle_for(self.key.public_key(), plaintext)
        }

        fn bundle_for(&self, recipient: &PublicKey, plaintext: &[u8]) -> String {
            let sealed = hpke::seal(recipient, plaintext, &SystemRandom).unwrap();
            let data = data(&sealed.encapped.to_uncompressed_hex(), &sealed.ciphertext);
            self.sign(data.as_bytes())
        }

        fn sign(&self, data: &[u8]) -> String {
            Json::object([
                ("version", "v1.0.0".into()),
                ("data", hex::encode(data).into()),
                (
                    "dataSignature",
                    hex::encode(&self.signer.sign_der(data)).into(),
                ),
                (
                    "enclaveQuorumPublic",
                    self.signer.public_key().to_uncompressed_hex().into(),
                ),
            ])
            .to_text()
        }

        fn open(&self, bundle: &str) -> Result<Zeroizing<Vec<u8>>> {
            let trust = ExportTrust::Key(self.signer.public_key().clone());
            self.key.open(bundle, "org", &trust)
        }
    }

    fn data(encapped: &str, ciphertext: &[u8]) -> String {
        Json::object([
            ("encappedPublic", encapped.into()),
            ("ciphertext", hex::encode(ciphertext).into()),
            ("organizationId", "org".into()),
        ])
        .to_text()
    }
}
