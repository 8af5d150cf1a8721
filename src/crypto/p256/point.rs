//! Points of the curve y^2 = x^3 - 3x + b, and their multiples.

use alloc::{boxed::Box, vec::Vec};

use once_cell::race::OnceBox;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::{field::Field, limbs::Limbs};

/// What the formulas compute with: numbers modulo p or, in a test, their weights.
pub(super) trait Ring: Sized {
    /// The curve's coefficient b.
    const B: Self;
    const ZERO: Self;

    fn add(&self, other: &Self) -> Self;
    fn subtract(&self, other: &Self) -> Self;
    fn multiply(&self, other: &Self) -> Self;
    fn square(&self) -> Self;
    fn thrice(&self) -> Self;
    /// `a * b + c * d`
    fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self;
}

impl Ring for Field {
    const B: Self = Self::B;
    const ZERO: Self = Self::ZERO;

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn subtract(&self, other: &Self) -> Self {
        self.subtract(other)
    }

    fn multiply(&self, other: &Self) -> Self {
        self.multiply(other)
    }

    fn square(&self) -> Self {
        self.square()
    }

    fn thrice(&self) -> Self {
        self.thrice()
    }

    fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        Self::sum_of_products(a, b, c, d)
    }
}

/// A point (x / z, y / z), or the one at infinity, which has z = 0. Coordinates are of weight 1.
pub(super) struct Point<F = Field> {
    pub(super) x: F,
    pub(super) y: F,
    pub(super) z: F,
}

impl<F: Ring> Point<F> {
    /// The sum of any two points. The formulas have no exceptions: equal points, opposite ones and
    /// the one at infinity are added like all others.
    #[inline(never)]
    pub(super) fn add(&mut self, other: &Self) {
        *self = Self::from_products(
            &self.x.multiply(&other.x),
            &self.y.multiply(&other.y),
            &self.z.multiply(&other.z),
            &F::sum_of_products(&self.x, &other.y, &self.y, &other.x),
            &F::sum_of_products(&self.y, &other.z, &self.z, &other.y),
            &F::sum_of_products(&self.x, &other.z, &self.z, &other.x),
        );
    }

    /// The sum of the point and itself.
    #[inline(never)]
    pub(super) fn double(&mut self) {
        let twice_y = self.y.add(&self.y);
        let twice_z = self.z.add(&self.z);
        *self = Self::from_products(
            &self.x.square(),
            &self.y.square(),
            &self.z.square(),
            &self.x.multiply(&twice_y),
            &self.z.multiply(&twice_y),
            &self.x.multiply(&twice_z),
        );
    }

    /// Joost Renes, Craig Costello, Lejla Batina, "Complete addition formulas for prime order
    /// elliptic curves", <https://eprint.iacr.org/2015/1060>, algorithm 4 from step 17, with xx
    /// for x1 x2, xy for x1 y2 + x2 y1, and so on. (The paper computes the latter with one product
    /// and four sums; two products that are reduced once take no longer.)
    #[inline(never)]
    fn from_products(xx: &F, yy: &F, zz: &F, xy: &F, yz: &F, xz: &F) -> Self {
        let u = xz.subtract(&F::B.multiply(zz)).thrice();
        let plus = yy.add(&u);
        let minus = yy.subtract(&u);
        let v = F::B
            .multiply(xz)
            .subtract(xx)
            .subtract(&zz.thrice())
            .thrice();
        let w = xx.subtract(zz).thrice();
        Self {
            x: F::sum_of_products(xy, &plus, yz, &F::ZERO.subtract(&v)),
            y: F::sum_of_products(&plus, &minus, &w, &v),
            z: F::sum_of_products(yz, &minus, xy, &w),
        }
    }
}

/// The point once, twice, up to eight times: the limbs of all coordinates, each of all multiples.
struct Multiples([[[i32; 8]; 9]; 3]);

impl Multiples {
    fn of(point: &Point) -> Self {
        let mut multiples = [[[0; 8]; 9]; 3];
        let mut next = Point::INFINITY;
        for multiple in 0..8 {
            next.add(point);
            for (rows, limbs) in multiples.iter_mut().zip(next.limbs()) {
                for (row, limb) in rows.iter_mut().zip(limbs) {
                    if let Some(to) = row.get_mut(multiple) {
                        *to = *limb;
                    }
                }
            }
        }
        Self(multiples)
    }

    /// The multiple with a digit from -8 to 8. Reads the whole table, whatever the digit is.
    #[inline(never)]
    fn select(&self, digit: i32, selected: &mut Point) {
        let sign = digit >> 31;
        let magnitude = (digit ^ sign) - sign;
        let mask = |number: i32| -i32::from(magnitude.ct_eq(&number).unwrap_u8());
        let masks = [1, 2, 3, 4, 5, 6, 7, 8].map(mask);
        let [m1, m2, m3, m4, m5, m6, m7, m8] = masks;
        for (limbs, rows) in selected.limbs_mut().into_iter().zip(&self.0) {
            for (limb, [l1, l2, l3, l4, l5, l6, l7, l8]) in limbs.iter_mut().zip(rows) {
                let low = l1 & m1 | l2 & m2 | l3 & m3 | l4 & m4;
                *limb = low | l5 & m5 | l6 & m6 | l7 & m7 | l8 & m8;
            }
        }
        // The point at infinity, of which only y is not 0.
        let infinity = mask(0);
        for (limb, one) in selected.y.0.iter_mut().zip(&Field::ONE.0) {
            *limb = ((*limb | one & infinity) ^ sign) - sign;
        }
    }
}

/// How many digits a number of 256 bits has to the base 16, where digits are signed.
const DIGITS: usize = 65;

/// The digits from -8 to 7, the lowest first, of a number of 32 bytes, big-endian.
fn write_digits(digits: &mut [i32; DIGITS], number: &[u8; 32]) {
    let (pairs, last) = digits.as_chunks_mut::<2>();
    let mut carried = 0;
    for (pair, byte) in pairs.iter_mut().zip(number.iter().rev()) {
        let halves = [byte & 15, byte >> 4];
        for (digit, half) in pair.iter_mut().zip(halves) {
            let sum = i32::from(half) + carried;
            carried = (sum + 8) >> 4;
            *digit = sum - (carried << 4);
        }
    }
    last.fill(carried);
}

impl Point {
    const INFINITY: Self = Self {
        x: Field::ZERO,
        y: Field::ONE,
        z: Field::ZERO,
    };

    fn limbs(&self) -> [&Limbs; 3] {
        [&self.x.0, &self.y.0, &self.z.0]
    }

    fn limbs_mut(&mut self) -> [&mut Limbs; 3] {
        [&mut self.x.0, &mut self.y.0, &mut self.z.0]
    }

    /// A scalar's multiple. Each table has the multiples for as many digits as the others, one after
    /// the other, so between its digits the sum is doubled four times, which multiplies it by 16.
    fn multiply_with(tables: &[Multiples], scalar: &[u8; 32]) -> Zeroizing<Self> {
        let mut digits = Zeroizing::new([0; DIGITS]);
        write_digits(&mut digits, scalar);
        let rows = DIGITS.checked_div(tables.len()).unwrap_or(1).max(1);
        let mut sum = Zeroizing::new(Self::INFINITY);
        let mut summand = Zeroizing::new(Self::INFINITY);
        for row in (0..rows).rev() {
            for _ in 0..4 {
                sum.double();
            }
            for (table, digit) in tables.iter().zip(digits.iter().skip(row).step_by(rows)) {
                table.select(*digit, &mut summand);
                sum.add(&summand);
            }
        }
        sum
    }

    /// The coordinates x / z and y / z; both 0 for the point at infinity.
    pub(super) fn to_affine(&self) -> Affine {
        let inverse = Zeroizing::new(self.z.invert());
        Affine {
            x: self.x.multiply(&inverse),
            y: self.y.multiply(&inverse),
        }
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

/// A point by its coordinates. Not the one at infinity.
pub(crate) struct Affine {
    pub(super) x: Field,
    pub(super) y: Field,
}

/// The base point: SEC2 section 2.4.2.
const GENERATOR: Affine = Affine {
    x: Field::from_limbs([
        -0xadd_787d,
        0x730_d419,
        0xdb0_0bcf,
        0x57f_11fb,
        0xa20_eb75,
        -0xd48_89de,
        0x330_fdba,
        -0x50b_22a9,
        0x12_0bef,
    ]),
    y: Field::from_limbs([
        -0xd55_3eb0,
        -0xdac_a831,
        0xf22_e6f0,
        0xe39_0e86,
        0x64b_1695,
        0x88d_d21f,
        0x2a9_7443,
        0x296_2176,
        0xae_3fe3,
    ]),
};

/// For the multiples of the base point: the table `i` is of `16^(5 * i)` times the point. With 13
/// tables 65 additions and 16 doublings are left to do. Made when first used.
static GENERATOR_MULTIPLES: OnceBox<Vec<Multiples>> = OnceBox::new();

#[expect(clippy::box_collection, reason = "a `OnceBox` takes a box")]
fn generator_multiples() -> Box<Vec<Multiples>> {
    let mut point = GENERATOR.to_point();
    let tables = (0..GENERATOR_TABLES).map(|_| {
        let multiples = Multiples::of(&point);
        for _ in 0..4 * DIGITS / GENERATOR_TABLES {
            point.double();
        }
        multiples
    });
    Box::new(tables.collect())
}

const GENERATOR_TABLES: usize = 13;

/// The scalar's multiple of the base point.
pub(super) fn multiply_generator(scalar: &[u8; 32]) -> Zeroizing<Point> {
    Point::multiply_with(GENERATOR_MULTIPLES.get_or_init(generator_multiples), scalar)
}

impl Affine {
    /// From SEC1, 33 bytes beginning with 02 or 03, or 65 beginning with 04, with coordinates
    /// below p of a point on the curve.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let (x, rest) = rest.split_first_chunk()?;
        let x = Field::from_bytes(x)?;
        // x^3 - 3x + b
        let square = x.square().multiply(&x).subtract(&x.thrice()).add(&Field::B);
        let y = match (first, rest) {
            (2 | 3, []) => {
                let root = square.square_root();
                // There is no root 0, because there is no point of order 2.
                if root.is_odd() == (*first == 3) {
                    root
                } else {
                    Field::ZERO.subtract(&root)
                }
            }
            (4, _) => Field::from_bytes(rest.try_into().ok()?)?,
            _ => return None,
        };
        (y.square().to_bytes() == square.to_bytes()).then_some(Self { x, y })
    }

    /// SEC1, 65 bytes: `04 || x || y`.
    pub(crate) fn encode(&self) -> [u8; 65] {
        let mut bytes = [4; 65];
        let (_, rest) = bytes.split_at_mut(1);
        let coordinates = [self.x.to_bytes(), self.y.to_bytes()];
        for (to, from) in rest.iter_mut().zip(coordinates.as_flattened()) {
            *to = *from;
        }
        bytes
    }

    /// The scalar's multiple of the point.
    pub(super) fn multiply(&self, scalar: &[u8; 32]) -> Zeroizing<Point> {
        Point::multiply_with(&[Multiples::of(&self.to_point())], scalar)
    }

    fn to_point(&self) -> Point {
        Point {
            x: Field::from_limbs(self.x.0),
            y: Field::from_limbs(self.y.0),
            z: Field::ONE,
        }
    }
}

impl Clone for Affine {
    fn clone(&self) -> Self {
        Self {
            x: Field::from_limbs(self.x.0),
            y: Field::from_limbs(self.y.0),
        }
    }
}

impl Zeroize for Affine {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}
