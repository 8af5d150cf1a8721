//! Numbers modulo p or n as nine signed limbs of 29 bits, in Montgomery form with R = 2^261.
//!
//! WebAssembly multiplies 64 bits by 64 bits to 64, and no wider. Limbs of 29 bits leave room for a
//! column of nine products in an `i64`, so that carries are needed once for a product and never
//! for a sum.
//!
//! # Why nothing overflows
//!
//! Every number x has a weight w, a small integer, with
//!
//! - |limb| <= w * 2^28 for each of its limbs, and
//! - |x| <= w * 2m, where m is the modulus.
//!
//! Whatever [`Modulus::reduce`] or [`Residue::thrice`] gives is of weight 1. What is given to them
//! must keep these rules, which the tests run over all formulas with weights in the place of
//! numbers (`tests::weights_stay_in_bounds`):
//!
//! - A sum and a difference have the sum of the weights, and at most 7: 7 * 2^28 < 2^31.
//! - The weights' products that are added up before one reduction are at most 8 together. A column
//!   then is below 8 * 9 * 2^56, to which the reduction adds less than 9 * 2^57 + 2^35: this is
//!   below 2^63. The reduced number is between -8 * (2m)^2 / R and m + 8 * (2m)^2 / R, and with
//!   m < 2^256 = R / 32 the magnitude is at most 2m.
//! - `thrice` takes a weight of at most 7.
//!
//! In debug builds overflow panics, and both assert what they give.

use core::marker::PhantomData;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// The number is the sum of `limbs[i] * 2^(29 * i)`.
pub(super) type Limbs = [i32; 9];

/// What products are added up in: the column `i` counts 2^(29 * i).
pub(super) type Columns = [i64; 17];

pub(super) const LIMB_BITS: u32 = 29;
const MASK: i32 = 0x1fff_ffff;
/// Half of a limb's range: limbs are from -HALF to HALF - 1.
const HALF: i64 = 1 << 28;

/// Of p or of n.
pub(super) trait Modulus: Sized {
    /// m, of weight 1.
    const MODULUS: Limbs;
    /// R mod m, of weight 1: the Montgomery form of 1.
    const ONE: Limbs;
    /// R^2 mod m, of weight 1: multiplying by it makes the Montgomery form.
    const R_SQUARED: Limbs;
    /// m - 2, big-endian: the exponent of the inverse.
    const INVERSE: [u8; 32];

    /// The columns' number divided by R, modulo m. For the bounds see the module.
    fn reduce(columns: Columns) -> Limbs;
}

/// A number modulo `M`. Not `Clone` and not `Debug`, because many are secret.
pub(super) struct Residue<M>(pub(super) Limbs, PhantomData<M>);

impl<M: Modulus> Residue<M> {
    pub(super) const ONE: Self = Self::from_limbs(M::ONE);

    pub(super) const fn from_limbs(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    /// From 32 bytes, big-endian, below m.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        bool::from(is_below::<M>(bytes)).then(|| Self::from_bytes_reduced(bytes))
    }

    /// From 32 bytes, big-endian, modulo m.
    pub(super) fn from_bytes_reduced(bytes: &[u8; 32]) -> Self {
        // Unsigned limbs below 2^29 are of weight 2.
        let mut limbs = unpack(bytes);
        let residue = Self::from_limbs(limbs).multiply(&Self::from_limbs(M::R_SQUARED));
        limbs.zeroize();
        residue
    }

    /// 32 bytes, big-endian, below m.
    pub(super) fn to_bytes(&self) -> [u8; 32] {
        let [t0, t1, t2, t3, t4, t5, t6, t7, t8] = wide(&self.0);
        // Out of Montgomery form: the number is at most 14m, and less than R, so the result is
        // from 0 to m.
        let plain = M::reduce([t0, t1, t2, t3, t4, t5, t6, t7, t8, 0, 0, 0, 0, 0, 0, 0, 0]);
        let (mut limbs, negative) = carry(subtract(&plain, &M::MODULUS));
        for (limb, digit) in limbs.iter_mut().zip(M::MODULUS) {
            *limb += digit & negative;
        }
        pack(&carry(limbs).0)
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        let mut columns = [0; 17];
        add_product(&mut columns, &self.0, &other.0);
        Self::from_limbs(M::reduce(columns))
    }

    pub(super) fn square(&self) -> Self {
        Self::from_limbs(M::reduce(square(&self.0)))
    }

    /// `a * b + c * d`, reduced once.
    pub(super) fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let mut columns = [0; 17];
        add_product(&mut columns, &a.0, &b.0);
        add_product(&mut columns, &c.0, &d.0);
        Self::from_limbs(M::reduce(columns))
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        Self::from_limbs(add(&self.0, &other.0))
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        Self::from_limbs(subtract(&self.0, &other.0))
    }

    /// The power with a public exponent, big-endian, four bits at a time.
    pub(super) fn power(&self, exponent: &[u8; 32]) -> Self {
        let mut next = M::ONE;
        let mut powers: [Limbs; 16] = core::array::from_fn(|_| {
            let power = next;
            next = Self::from_limbs(next).multiply(self).0;
            power
        });
        let mut result = Self::ONE;
        for byte in exponent {
            for digit in [byte >> 4, byte & 15] {
                for _ in 0..4 {
                    result = result.square();
                }
                if let (1.., Some(power)) = (digit, powers.get(usize::from(digit))) {
                    result = result.multiply(&Self::from_limbs(*power));
                }
            }
        }
        powers.zeroize();
        next.zeroize();
        result
    }

    /// The inverse of anything but 0, by Fermat's little theorem; 0 for 0.
    pub(super) fn invert(&self) -> Self {
        self.power(&M::INVERSE)
    }
}

impl<M> Zeroize for Residue<M> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Whether the number is below m.
pub(super) fn is_below<M: Modulus>(bytes: &[u8; 32]) -> Choice {
    let mut limbs = unpack(bytes);
    let (mut difference, negative) = carry(subtract(&limbs, &M::MODULUS));
    limbs.zeroize();
    difference.zeroize();
    negative.ct_eq(&-1)
}

/// The unsigned limbs of a number.
fn unpack(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 9];
    let mut bytes = bytes.iter().rev();
    let (mut bits, mut count) = (0_i64, 0);
    for limb in &mut limbs {
        while count < LIMB_BITS
            && let Some(byte) = bytes.next()
        {
            bits |= i64::from(*byte) << count;
            count += 8;
        }
        *limb = low(bits);
        bits >>= LIMB_BITS;
        count = count.saturating_sub(LIMB_BITS);
    }
    limbs
}

/// The inverse of [`unpack`].
fn pack(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut limbs = limbs.iter();
    let (mut bits, mut count) = (0_i64, 0);
    for byte in bytes.iter_mut().rev() {
        if count < 8
            && let Some(limb) = limbs.next()
        {
            bits |= i64::from(*limb) << count;
            count += LIMB_BITS;
        }
        [*byte, ..] = bits.to_le_bytes();
        bits >>= 8;
        count -= 8;
    }
    bytes
}

/// Unsigned limbs of the same number modulo 2^261, and what is carried out of them: -1 where the
/// number is negative, and 0 where it is not, if its magnitude is below 2^261.
fn carry(mut limbs: Limbs) -> (Limbs, i32) {
    let mut carried = 0;
    for limb in &mut limbs {
        let sum = *limb + carried;
        carried = sum >> LIMB_BITS;
        *limb = sum & MASK;
    }
    (limbs, carried)
}

/// The lowest limb, unsigned.
pub(super) fn low(column: i64) -> i32 {
    (column & i64::from(MASK)) as i32
}

#[inline(always)]
pub(super) fn wide(limbs: &Limbs) -> [i64; 9] {
    let [l0, l1, l2, l3, l4, l5, l6, l7, l8] = *limbs;
    [
        i64::from(l0),
        i64::from(l1),
        i64::from(l2),
        i64::from(l3),
        i64::from(l4),
        i64::from(l5),
        i64::from(l6),
        i64::from(l7),
        i64::from(l8),
    ]
}

/// Limbs from -2^28 to 2^28 - 1 of the same number; the last takes what is left.
#[inline(always)]
pub(super) fn balance(columns: [i64; 9]) -> Limbs {
    let [t0, t1, t2, t3, t4, t5, t6, t7, t8] = columns;
    let (l0, t1) = split(t0, t1);
    let (l1, t2) = split(t1, t2);
    let (l2, t3) = split(t2, t3);
    let (l3, t4) = split(t3, t4);
    let (l4, t5) = split(t4, t5);
    let (l5, t6) = split(t5, t6);
    let (l6, t7) = split(t6, t7);
    let (l7, t8) = split(t7, t8);
    // |x| <= 2m < 2^257.
    debug_assert!(t8.abs() <= (1 << 25) + 1, "the weight is above 1");
    [l0, l1, l2, l3, l4, l5, l6, l7, t8 as i32]
}

/// A limb from -2^28 to 2^28 - 1, and the next column with what is carried to it.
#[inline(always)]
fn split(column: i64, next: i64) -> (i32, i64) {
    let carried = (column + HALF) >> LIMB_BITS;
    ((column - (carried << LIMB_BITS)) as i32, next + carried)
}

#[inline(never)]
fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = *a;
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = *b;
    [
        a0 + b0,
        a1 + b1,
        a2 + b2,
        a3 + b3,
        a4 + b4,
        a5 + b5,
        a6 + b6,
        a7 + b7,
        a8 + b8,
    ]
}

#[inline(never)]
fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = *a;
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = *b;
    [
        a0 - b0,
        a1 - b1,
        a2 - b2,
        a3 - b3,
        a4 - b4,
        a5 - b5,
        a6 - b6,
        a7 - b7,
        a8 - b8,
    ]
}

/// Written out, because a loop takes twice as long.
#[inline(never)]
#[rustfmt::skip]
fn add_product(t: &mut Columns, a: &Limbs, b: &Limbs) {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = wide(a);
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = wide(b);
    t[0] += a0 * b0;
    t[1] += a0 * b1 + a1 * b0;
    t[2] += a0 * b2 + a1 * b1 + a2 * b0;
    t[3] += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
    t[4] += a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0;
    t[5] += a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0;
    t[6] += a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0;
    t[7] += a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0;
    t[8] += a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0;
    t[9] += a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1;
    t[10] += a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2;
    t[11] += a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3;
    t[12] += a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4;
    t[13] += a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5;
    t[14] += a6 * b8 + a7 * b7 + a8 * b6;
    t[15] += a7 * b8 + a8 * b7;
    t[16] += a8 * b8;
}

/// The product with itself: the products of two different limbs once, and doubled.
#[inline(never)]
#[rustfmt::skip]
fn square(a: &Limbs) -> Columns {
    let mut t = [0; 17];
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = wide(a);
    let [d1, d2, d3, d4, d5, d6, d7, d8] =
        [2 * a1, 2 * a2, 2 * a3, 2 * a4, 2 * a5, 2 * a6, 2 * a7, 2 * a8];
    t[0] = a0 * a0;
    t[1] = a0 * d1;
    t[2] = a0 * d2 + a1 * a1;
    t[3] = a0 * d3 + a1 * d2;
    t[4] = a0 * d4 + a1 * d3 + a2 * a2;
    t[5] = a0 * d5 + a1 * d4 + a2 * d3;
    t[6] = a0 * d6 + a1 * d5 + a2 * d4 + a3 * a3;
    t[7] = a0 * d7 + a1 * d6 + a2 * d5 + a3 * d4;
    t[8] = a0 * d8 + a1 * d7 + a2 * d6 + a3 * d5 + a4 * a4;
    t[9] = a1 * d8 + a2 * d7 + a3 * d6 + a4 * d5;
    t[10] = a2 * d8 + a3 * d7 + a4 * d6 + a5 * a5;
    t[11] = a3 * d8 + a4 * d7 + a5 * d6;
    t[12] = a4 * d8 + a5 * d7 + a6 * a6;
    t[13] = a5 * d8 + a6 * d7;
    t[14] = a6 * d8 + a7 * a7;
    t[15] = a7 * d8;
    t[16] = a8 * a8;
    t
}
