//! Numbers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1: the coordinates of points.

use super::limbs::{Columns, LIMB_BITS, Limbs, Modulus, Residue, balance, low, wide};

pub(super) type Field = Residue<P>;

pub(super) struct P;

impl Modulus for P {
    const MODULUS: Limbs = [-1, 0, 0, 0x200, 0, 0, 0x4_0000, -0x20_0000, 0x100_0000];
    const ONE: Limbs = [0x20, 0, 0, -0x4000, 0, 0, -0x80_0000, 0x400_0000, 0];
    const R_SQUARED: Limbs = [0xc00, 0, -0x1_0000, -0x20_0000, -0x40_0000, 0, 0, -1, 0x14];
    const INVERSE: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd,
    ];

    /// p is -1 modulo 2^96. So the multiple of p that clears a column is the lowest limb of that
    /// column itself, and adding it is four shifts.
    #[inline(never)]
    fn reduce(columns: Columns) -> Limbs {
        let [
            mut t0,
            mut t1,
            mut t2,
            mut t3,
            mut t4,
            mut t5,
            mut t6,
            mut t7,
            mut t8,
            ..,
        ] = columns;
        let [
            ..,
            mut t9,
            mut t10,
            mut t11,
            mut t12,
            mut t13,
            mut t14,
            mut t15,
            mut t16,
        ] = columns;
        clear(&mut t0, [&mut t1, &mut t3, &mut t6, &mut t7, &mut t8]);
        clear(&mut t1, [&mut t2, &mut t4, &mut t7, &mut t8, &mut t9]);
        clear(&mut t2, [&mut t3, &mut t5, &mut t8, &mut t9, &mut t10]);
        clear(&mut t3, [&mut t4, &mut t6, &mut t9, &mut t10, &mut t11]);
        clear(&mut t4, [&mut t5, &mut t7, &mut t10, &mut t11, &mut t12]);
        clear(&mut t5, [&mut t6, &mut t8, &mut t11, &mut t12, &mut t13]);
        clear(&mut t6, [&mut t7, &mut t9, &mut t12, &mut t13, &mut t14]);
        clear(&mut t7, [&mut t8, &mut t10, &mut t13, &mut t14, &mut t15]);
        clear(&mut t8, [&mut t9, &mut t11, &mut t14, &mut t15, &mut t16]);
        balance([t9, t10, t11, t12, t13, t14, t15, t16, 0])
    }
}

/// Adds q * p, where q is the lowest limb of `column`, and carries the rest of it to the next: to
/// the columns 1, 3, 6, 7 and 8 above. 96 = 3 * 29 + 9, 192 = 6 * 29 + 18, 224 = 7 * 29 + 21 and
/// 256 = 8 * 29 + 24.
#[inline(always)]
fn clear(column: &mut i64, [t1, t3, t6, t7, t8]: [&mut i64; 5]) {
    let q = i64::from(low(*column));
    *t1 += *column >> LIMB_BITS;
    *t3 += q << 9;
    *t6 += q << 18;
    *t7 -= q << 21;
    *t8 += q << 24;
}

impl Field {
    /// The coefficient b of the curve's equation, y^2 = x^3 - 3x + b: SEC2 section 2.4.2.
    pub(super) const B: Self = Self::from_limbs([
        -0x768_4405,
        -0x320_9dd6,
        0x184_86c5,
        0x173_2821,
        -0x252_a620,
        0xabf_7213,
        -0x5f9_2ef0,
        -0x88d_e2df,
        0x86_00c4,
    ]);
    pub(super) const ZERO: Self = Self::from_limbs([0; 9]);

    /// Three times the number, and of weight 1: what is above 2^256 is taken off as a multiple of
    /// p, to the nearest.
    #[inline(never)]
    pub(super) fn thrice(&self) -> Self {
        let [t0, t1, t2, t3, t4, t5, t6, t7, t8] = wide(&self.0);
        let t8 = 3 * t8;
        let above = (t8 + (1 << 23)) >> 24;
        Self::from_limbs(balance([
            3 * t0 + above,
            3 * t1,
            3 * t2,
            3 * t3 - (above << 9),
            3 * t4,
            3 * t5,
            3 * t6 - (above << 18),
            3 * t7 + (above << 21),
            t8 - (above << 24),
        ]))
    }

    /// The square root of a square; of anything else, any number. p is 3 modulo 4, so it is the
    /// power with (p + 1) / 4.
    pub(super) fn square_root(&self) -> Self {
        self.power(&[
            0x3f, 0xff, 0xff, 0xff, 0xc0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ])
    }

    pub(super) fn is_odd(&self) -> bool {
        let [.., last] = self.to_bytes();
        last & 1 == 1
    }
}
