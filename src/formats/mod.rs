//! Grid's texts: stamp, sealed session key, OTP bundle and token, wallet export, passkey data.
//!
//! Facts of the formats are quoted from public sources, named as `repository@commit`. Nothing here
//! knows HTTP.

#![forbid(unsafe_code)]

pub mod passkey;
