//! P-256: SEC2 section 2.4.2, NIST SP 800-186 section 3.2.1.3.
//!
//! Own arithmetic, because what there is was not written for WebAssembly, which has no product of
//! 128 bits: see `Cargo.toml` for the figures. The crate `p256` is what the tests compare it with.
//!
//! The same code runs natively. It takes the same time for all secrets: no branch and no index
//! depends on one, and points are added with formulas that have no exceptions. What it leaves on
//! the stack beside what is wiped here is for the caller to wipe, with [`super::stack`].

#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "limbs' arithmetic, within the bounds that `limbs` proves"
)]

mod ecdsa;
mod field;
mod limbs;
mod point;
mod scalar;
#[cfg(test)]
mod tests;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) use self::{
    ecdsa::{Signature, sign},
    point::Affine,
};
use self::{limbs::is_below, scalar::N};

/// A number in `1..n`. Wiped when dropped.
pub(crate) struct Secret {
    /// The lowest byte first, so that there is no doubt which copies of a key are this one: texts
    /// and messages have the highest first.
    reversed: Zeroizing<[u8; 32]>,
}

impl Secret {
    /// From 32 bytes, big-endian.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let is_in_range = is_below::<N>(bytes) & !bytes.ct_eq(&[0; 32]);
        // What is refused is no secret.
        bool::from(is_in_range).then(|| Self {
            reversed: reverse(bytes),
        })
    }

    /// 32 bytes, big-endian.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        reverse(&self.reversed)
    }

    /// The public point.
    pub(crate) fn public(&self) -> Affine {
        point::multiply_generator(&self.to_bytes()).to_affine()
    }

    /// The x-coordinate of the point that is shared with the holder of `public`'s secret.
    pub(crate) fn shared(&self, public: &Affine) -> Zeroizing<[u8; 32]> {
        let point = Zeroizing::new(public.multiply(&self.to_bytes()).to_affine());
        Zeroizing::new(point.x.to_bytes())
    }
}

fn reverse(bytes: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut reversed = Zeroizing::new(*bytes);
    reversed.reverse();
    reversed
}
