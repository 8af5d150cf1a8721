//! Grid's texts: stamp, sealed session key, OTP bundle and token, wallet export, passkey data.
//!
//! Facts of the formats are quoted from public sources, named as `repository@commit`. Nothing here
//! knows HTTP.
//!
//! One key has one purpose, by type: a [`session_key::SessionKey`] signs and receives nothing, a
//! [`sealed_key::SealedKeyReceiver`] and a [`wallet_export::WalletExportKey`] receive and sign
//! nothing.

#![forbid(unsafe_code)]

pub mod intent;
pub mod nickname;
pub mod oauth;
pub mod otp;
pub mod passkey;
pub mod sealed_key;
pub mod session_key;
pub mod timestamp;
pub mod wallet_export;
