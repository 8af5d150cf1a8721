//! What signs in a session.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String};
use core::future::ready;

use super::steps::Work;
use crate::{
    crypto::key::PublicKey,
    formats::session_key::{SessionKey, check_payload_length, stamp_from_raw},
    ports::SessionSigner,
};

/// A session's key, in this memory or in the browser's keeping.
pub enum Signer {
    /// In this memory, until it is wiped.
    Held(SessionKey),
    /// In the browser's keeping: it signs, and nobody can read it.
    Kept(Rc<dyn SessionSigner>),
}

impl Signer {
    /// The key's public half.
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Held(key) => key.public_key(),
            Self::Kept(signer) => signer.public_key(),
        }
    }

    /// The value of `Grid-Wallet-Signature`. The payload was checked before.
    pub fn stamp_checked(&self, payload: &str) -> Work<String> {
        match self {
            Self::Held(key) => Box::pin(ready(key.stamp_unchecked(payload))),
            Self::Kept(signer) => {
                let (signer, payload) = (signer.clone(), payload.to_owned());
                Box::pin(async move {
                    check_payload_length(&payload)?;
                    let signature = signer.sign(payload.into_bytes()).await?;
                    stamp_from_raw(signer.public_key(), &signature)
                })
            }
        }
    }
}
