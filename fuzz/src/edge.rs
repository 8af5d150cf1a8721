//! Numbers of 256 bits at which arithmetic goes wrong, if it does.

use arbitrary::{Result, Unstructured};

const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

/// Around 0, n, p and 2^256, around powers of two, with limbs of 29 bits that are empty or full, or
/// any.
pub fn number(u: &mut Unstructured<'_>) -> Result<[u8; 32]> {
    let base = match u.int_in_range(0..=7)? {
        0 => [0; 32],
        1 => hex(N),
        2 => hex(P),
        3 => [0xff; 32],
        4 => {
            let mut power = [0; 32];
            let bit = usize::from(u.arbitrary::<u8>()?);
            power[31 - bit / 8] = 1 << (bit % 8);
            power
        }
        5 => limbs(u)?,
        6 => half(&hex(N)),
        _ => u.arbitrary()?,
    };
    // And a few more or less.
    let difference = u.int_in_range(-4_i16..=4)?;
    Ok(moved(base, difference))
}

/// A private key. One in 2^32 that are not in range becomes one that is.
pub fn scalar(u: &mut Unstructured<'_>) -> Result<[u8; 32]> {
    let number = number(u)?;
    let is_in_range = number != [0; 32] && number < hex(N);
    Ok(if is_in_range {
        number
    } else {
        moved([0; 32], 7)
    })
}

/// The same number modulo n, if it has another form of 32 bytes.
pub fn plus_n(number: &[u8; 32]) -> Option<[u8; 32]> {
    let mut sum = *number;
    let mut carried = 0;
    for (byte, summand) in sum.iter_mut().zip(hex(N)).rev() {
        carried += u16::from(*byte) + u16::from(summand);
        *byte = carried as u8;
        carried >>= 8;
    }
    (carried == 0).then_some(sum)
}

/// Each limb of 29 bits empty, full, one or any.
fn limbs(u: &mut Unstructured<'_>) -> Result<[u8; 32]> {
    let mut bits = [false; 256];
    for limb in bits.chunks_mut(29) {
        let value = match u.int_in_range(0..=4)? {
            0 => 0,
            1 => u32::MAX,
            2 => 1,
            3 => 1 << 28,
            _ => u.arbitrary::<u32>()?,
        };
        for (place, bit) in limb.iter_mut().enumerate() {
            *bit = value >> place & 1 == 1;
        }
    }
    let mut bytes = [0; 32];
    for (place, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        bytes[31 - place / 8] |= 1 << (place % 8);
    }
    Ok(bytes)
}

fn half(number: &[u8; 32]) -> [u8; 32] {
    let mut carried = 0;
    number.map(|byte| {
        let half = byte >> 1 | carried << 7;
        carried = byte & 1;
        half
    })
}

fn moved(number: [u8; 32], difference: i16) -> [u8; 32] {
    let mut carried = difference;
    let mut moved = number;
    for byte in moved.iter_mut().rev() {
        let sum = i16::from(*byte) + carried;
        *byte = sum.rem_euclid(256) as u8;
        carried = sum.div_euclid(256);
    }
    moved
}

fn hex(digits: &str) -> [u8; 32] {
    gridkey::crypto::hex::decode(digits, 32)
        .unwrap()
        .try_into()
        .unwrap()
}
