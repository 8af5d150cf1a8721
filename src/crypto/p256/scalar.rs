//! Numbers modulo n, the order of the curve: private keys, nonces, the numbers of a signature.

use super::limbs::{Columns, LIMB_BITS, Limbs, Modulus, Residue, balance, low, wide};

pub(super) type Scalar = Residue<N>;

pub(super) struct N;

/// -1/n modulo 2^29.
const FACTOR: i64 = 0xe00_bc4f;

impl Modulus for N {
    const MODULUS: Limbs = [
        -0x39c_daaf,
        -0x231_a9e8,
        0x5e7_a13d,
        0xdf5_5b4e,
        -0x432,
        0,
        0x4_0000,
        -0x20_0000,
        0x100_0000,
    ];
    const ONE: Limbs = [
        -0xc64_aa20,
        0x635_3d04,
        0x30b_d862,
        0x154_963a,
        0x8632,
        0,
        -0x80_0000,
        0x400_0000,
        0,
    ];
    const R_SQUARED: Limbs = [
        -0xb72_610b,
        0xf4e_7f76,
        -0xb39_59af,
        0x3f8_b766,
        -0x9a7_9e0f,
        -0xda9_2827,
        -0x3e7_a4dc,
        0xd4c_ab10,
        0x84_b655,
    ];
    const INVERSE: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
    ];

    #[inline(never)]
    fn reduce(mut columns: Columns) -> Limbs {
        let [n0, n1, n2, n3, n4, n5, n6, n7, n8] = wide(&Self::MODULUS);
        for first in 0..9 {
            if let Some([t0, t1, t2, t3, t4, t5, t6, t7, t8]) =
                columns.get_mut(first..).and_then(<[_]>::first_chunk_mut)
            {
                // The multiple of n that clears the column.
                let q = i64::from(low(i64::from(low(*t0)) * FACTOR));
                *t1 += q * n1 + ((*t0 + q * n0) >> LIMB_BITS);
                *t2 += q * n2;
                *t3 += q * n3;
                *t4 += q * n4;
                *t5 += q * n5;
                *t6 += q * n6;
                *t7 += q * n7;
                *t8 += q * n8;
            }
        }
        let [.., t9, t10, t11, t12, t13, t14, t15, t16] = columns;
        balance([t9, t10, t11, t12, t13, t14, t15, t16, 0])
    }
}
