//! The arithmetic against the crates `p256` and `crypto-bigint`.
//!
//! `P256_ROUNDS` is how often each random test is repeated: 1 if it is not set. A hundred are a
//! million field operations and more.

use ::p256::{
    AffinePoint, NonZeroScalar, ProjectivePoint, PublicKey,
    ecdsa::{SigningKey, VerifyingKey, signature::hazmat::PrehashVerifier},
    elliptic_curve::{
        Group,
        bigint::{NonZero, U256},
        ecdh,
        ff::PrimeField,
        ops::Reduce,
        sec1::ToSec1Point,
    },
};
use rfc6979::KGenerator;
use sha2::Sha256;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{
    Affine, Secret, Signature,
    ecdsa::{self, Nonces},
    field::{Field, P},
    limbs::{Columns, Limbs, Modulus, Residue},
    point::{Point, Ring, multiply_generator},
    scalar::{N, Scalar},
};
use crate::crypto::{
    hex,
    random::{Random, SystemRandom},
};

const P_HEX: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const N_HEX: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// ---- Bounds

/// In the place of a number its weight, which obeys the rules of `limbs`.
struct Weight(u64);

impl Weight {
    fn sum(&self, other: &Self) -> Self {
        assert!(self.0 + other.0 <= 7, "{} + {}", self.0, other.0);
        Self(self.0 + other.0)
    }

    fn reduced(products: u64) -> Self {
        assert!(products <= 8, "{products}");
        Self(1)
    }
}

impl Ring for Weight {
    const B: Self = Self(1);
    // Not 0: as a number's limbs it is added like others.
    const ZERO: Self = Self(0);

    fn add(&self, other: &Self) -> Self {
        self.sum(other)
    }

    fn subtract(&self, other: &Self) -> Self {
        self.sum(other)
    }

    fn multiply(&self, other: &Self) -> Self {
        Self::reduced(self.0 * other.0)
    }

    fn square(&self) -> Self {
        Self::reduced(self.0 * self.0)
    }

    fn thrice(&self) -> Self {
        assert!(self.0 <= 7, "{}", self.0);
        Self(1)
    }

    fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        Self::reduced(a.0 * b.0 + c.0 * d.0)
    }
}

#[test]
fn weights_stay_in_bounds() {
    let coordinates = || Point {
        x: Weight(1),
        y: Weight(1),
        z: Weight(1),
    };
    let mut point = coordinates();
    point.add(&coordinates());
    assert_eq!((point.x.0, point.y.0, point.z.0), (1, 1, 1));
    point.double();
    assert_eq!((point.x.0, point.y.0, point.z.0), (1, 1, 1));
}

/// The bounds of `limbs`, at their ends: nothing overflows, which debug builds would notice, and
/// what is given is right and of weight 1.
#[test]
fn extreme_columns_are_reduced() {
    fn check<M: Modulus>(modulus: &Big) {
        let bound = 8 * 9 * (1_i64 << 56);
        let r = modulus.power_of_2(261);
        let mut all = vec![[bound; 17], [-bound; 17], [0; 17], [-1; 17]];
        for index in 0..17 {
            let mut alternating = [bound; 17];
            alternating[index..].fill(-bound);
            all.push(alternating);
            all.push(alternating.map(|column| column + 1));
            let mut single = [0; 17];
            single[index] = bound;
            all.push(single);
            single[index] = -1;
            all.push(single);
        }
        for _ in 0..200 * rounds() {
            all.push(core::array::from_fn(|_| {
                let column = i64::from_le_bytes(random());
                column.clamp(-bound, bound)
            }));
        }
        for columns in all {
            // What such a number has above is not of two numbers of weight 1 and 8: its top is.
            let columns = top_within_bounds(columns);
            let reduced = M::reduce(columns);
            assert_weight_1(&reduced);
            assert_eq!(
                modulus.multiply(&modulus.of_limbs(&reduced.map(i64::from)), &r),
                modulus.of_limbs(&columns),
                "{columns:?}"
            );
        }
    }
    check::<P>(&Big::p());
    check::<N>(&Big::n());
}

/// With the magnitude below 8 (2m)^2 < 2^517: columns 14 and below are so at any value, the two
/// above are not.
fn top_within_bounds(mut columns: Columns) -> Columns {
    columns[15] = columns[15].clamp(-(1 << 58), 1 << 58);
    columns[16] = columns[16].clamp(-(1 << 52), 1 << 52);
    columns
}

fn assert_weight_1(limbs: &Limbs) {
    let [low @ .., top] = limbs;
    for limb in low {
        assert!((-(1 << 28)..1 << 28).contains(limb), "{limbs:?}");
    }
    assert!(top.abs() <= 1 << 25, "{limbs:?}");
}

/// Numbers of any weight, with all limbs at their ends.
#[test]
fn extreme_limbs_are_multiplied() {
    fn check<M: Modulus>(modulus: &Big) {
        let r = modulus.power_of_2(261);
        let extreme = |weight: i32, signs: u16| -> Limbs {
            core::array::from_fn(|index| {
                let limb = if index == 8 { 1 << 25 } else { 1 << 28 };
                let limb = weight * limb - i32::from(index == 8);
                if signs >> index & 1 == 1 { -limb } else { limb }
            })
        };
        let signs = [0, 0x1ff, 0xaa, 0x155, 0xf0, 0x10f, 0x1, 0x100, 0xff];
        for (a_weight, b_weight) in [(1, 1), (1, 7), (2, 4), (4, 2), (7, 1), (2, 2)] {
            for a_signs in signs {
                for b_signs in signs {
                    let a = Residue::<M>::from_limbs(extreme(a_weight, a_signs));
                    let b = Residue::<M>::from_limbs(extreme(b_weight, b_signs));
                    let (big_a, big_b) = (modulus.of(&a), modulus.of(&b));
                    let product = a.multiply(&b);
                    assert_weight_1(&product.0);
                    assert_eq!(
                        modulus.multiply(&modulus.of(&product), &r),
                        modulus.multiply(&big_a, &big_b)
                    );
                    assert_eq!(
                        modulus.multiply(&bytes(&a.to_bytes()), &r),
                        big_a,
                        "{:?}",
                        a.0
                    );
                    if a_weight <= 2 {
                        let square = a.square();
                        assert_weight_1(&square.0);
                        assert_eq!(square.to_bytes(), a.multiply(&a).to_bytes());
                    }
                }
            }
        }
    }
    check::<P>(&Big::p());
    check::<N>(&Big::n());
    for weight in 1..=7 {
        for sign in [1, -1] {
            let mut limbs = [sign * weight * (1 << 28); 9];
            limbs[8] = sign * weight * (1 << 25);
            let thrice = Field::from_limbs(limbs).thrice();
            assert_weight_1(&thrice.0);
            let p = Big::p();
            let three = U256::from(3_u8);
            let limbs = limbs.map(i64::from);
            assert_eq!(p.of(&thrice), p.multiply(&p.of_limbs(&limbs), &three));
        }
    }
}

// ---- Numbers modulo p and n

#[test]
fn constants_are_what_they_say() {
    fn check<M: Modulus>(modulus: &Big) {
        assert_eq!(modulus.of_limbs(&M::MODULUS.map(i64::from)), U256::ZERO);
        assert_weight_1(&M::MODULUS);
        assert_weight_1(&M::ONE);
        assert_weight_1(&M::R_SQUARED);
        let one = modulus.of_limbs(&M::ONE.map(i64::from));
        assert_eq!(one, modulus.power_of_2(261));
        assert_eq!(
            modulus.of_limbs(&M::R_SQUARED.map(i64::from)),
            modulus.power_of_2(522)
        );
        let two = U256::from(2_u8);
        assert_eq!(
            bytes(&M::INVERSE).wrapping_add(&two),
            *modulus.modulus.as_ref()
        );
    }
    check::<P>(&Big::p());
    check::<N>(&Big::n());
    let b = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b";
    assert_eq!(hex::encode(&Field::B.to_bytes()), b);
    assert_weight_1(&Field::B.0);
}

#[test]
fn numbers_of_the_field() {
    agrees_with_the_oracle::<P>(&Big::p());
}

#[test]
fn numbers_of_scalars() {
    agrees_with_the_oracle::<N>(&Big::n());
}

fn agrees_with_the_oracle<M: Modulus>(modulus: &Big) {
    let edges = edges();
    for a in &edges {
        let number = bytes(a);
        let residue = Residue::<M>::from_bytes(a);
        let is_below = number < *modulus.modulus.as_ref();
        assert_eq!(residue.is_some(), is_below, "{number}");
        assert_eq!(super::limbs::is_below::<M>(a).unwrap_u8() == 1, is_below);
        let residue = Residue::<M>::from_bytes_reduced(a);
        assert_eq!(bytes(&residue.to_bytes()), modulus.reduce(&number));
        for b in &edges {
            pair::<M>(modulus, a, b);
        }
    }
    for _ in 0..2_000 * rounds() {
        pair::<M>(modulus, &random(), &random());
    }
    for a in edges
        .into_iter()
        .chain((0..20 * rounds()).map(|_| random()))
    {
        let residue = Residue::<M>::from_bytes_reduced(&a);
        let product = modulus.multiply(&bytes(&residue.invert().to_bytes()), &bytes(&a));
        let is_zero = bool::from(modulus.reduce(&bytes(&a)).is_zero());
        assert_eq!(product, U256::from(u8::from(!is_zero)), "{a:?}");
    }
}

fn pair<M: Modulus>(modulus: &Big, a: &[u8; 32], b: &[u8; 32]) {
    let (x, y) = (bytes(a), bytes(b));
    let residue = Residue::<M>::from_bytes_reduced;
    let (a, b) = (residue(a), residue(b));
    let number = |residue: &Residue<M>| bytes(&residue.to_bytes());
    let product = modulus.multiply(&x, &y);
    let square = modulus.multiply(&x, &x);
    assert_eq!(number(&a.multiply(&b)), product, "{x} * {y}");
    assert_eq!(number(&a.square()), square, "{x}^2");
    let (sum, difference) = (a.add(&b), a.subtract(&b));
    assert_eq!(number(&sum), modulus.add(&x, &y), "{x} + {y}");
    assert_eq!(number(&difference), modulus.subtract(&x, &y), "{x} - {y}");
    assert_eq!(
        number(&Residue::sum_of_products(&a, &b, &sum, &difference)),
        modulus.add(
            &product,
            &modulus.subtract(&square, &modulus.multiply(&y, &y))
        ),
        "{x}, {y}"
    );
}

#[test]
fn square_roots_and_triples() {
    let p = Big::p();
    for a in edges()
        .into_iter()
        .chain((0..20 * rounds()).map(|_| random()))
    {
        let number = Field::from_bytes_reduced(&a);
        let square = number.square();
        let root = square.square_root().square();
        assert_eq!(root.to_bytes(), square.to_bytes(), "{a:?}");
        let three = U256::from(3_u8);
        assert_eq!(
            bytes(&number.thrice().to_bytes()),
            p.multiply(&bytes(&a), &three)
        );
    }
}

// ---- Points

#[test]
fn multiples_of_the_base_point() {
    for scalar in edges()
        .into_iter()
        .chain((0..40 * rounds()).map(|_| random()))
    {
        let Some(oracle) = Option::<NonZeroScalar>::from(NonZeroScalar::from_repr(scalar.into()))
        else {
            assert!(Secret::from_bytes(&scalar).is_none(), "{scalar:?}");
            continue;
        };
        let secret = Secret::from_bytes(&scalar).unwrap();
        assert_eq!(*secret.to_bytes(), scalar);
        let point = ProjectivePoint::GENERATOR * *oracle;
        assert_eq!(secret.public().encode(), sec1(&point), "{scalar:?}");
    }
}

/// Small multiples of small multiples meet every exception that other formulas have.
#[test]
fn multiples_of_points() {
    let small = (1..20_u8).map(|number| to_bytes(&U256::from(number)));
    let points: Vec<[u8; 32]> = small.chain((0..4).map(|_| random())).collect();
    for scalar in edges()
        .into_iter()
        .chain((0..20 * rounds()).map(|_| random()))
    {
        let Some(secret) = Secret::from_bytes(&scalar) else {
            continue;
        };
        let oracle = NonZeroScalar::from_repr(scalar.into()).unwrap();
        let [of] = [&points[usize::from(scalar[31]) % points.len()]];
        let point = ProjectivePoint::GENERATOR * scalar_of(of);
        let public = Affine::decode(&sec1(&point)).unwrap();
        let product = public.multiply(&scalar).to_affine();
        assert_eq!(product.encode(), sec1(&(point * *oracle)), "{scalar:?}");
        let shared = ecdh::diffie_hellman(oracle, AffinePoint::from(point));
        assert_eq!(
            secret.shared(&public).as_slice(),
            shared.raw_secret_bytes().as_slice()
        );
    }
}

/// n itself and what is above it come to no public function. The formulas give what is right.
#[test]
fn the_order_times_a_point_is_infinity() {
    let mut point = multiply_generator(&decode(N_HEX));
    assert_eq!(point.z.to_bytes(), [0; 32]);
    assert_ne!(point.y.to_bytes(), [0; 32]);
    let affine = point.to_affine();
    assert_eq!(
        (affine.x.to_bytes(), affine.y.to_bytes()),
        ([0; 32], [0; 32])
    );
    // It changes nothing when it is added, doubled and multiplied.
    point.double();
    let mut sum = multiply_generator(&decode(N_HEX));
    sum.add(&point);
    assert_eq!(sum.z.to_bytes(), [0; 32]);
    let one = to_bytes(&U256::ONE);
    sum.add(&multiply_generator(&one));
    assert_eq!(sum.to_affine().encode(), sec1(&ProjectivePoint::GENERATOR));
}

#[test]
fn sums_of_points() {
    // The scalars of summands: equal, opposite, one at infinity, the double of the other, others.
    let n = bytes(&decode(N_HEX));
    for round in 0..30 * rounds() {
        let a = if round < 6 {
            U256::from(u8::try_from(round).unwrap())
        } else {
            Big::n().reduce(&bytes(&random()))
        };
        let negative = Big::n().subtract(&U256::ZERO, &a);
        let twice = Big::n().add(&a, &a);
        for b in [
            a,
            negative,
            U256::ZERO,
            twice,
            U256::ONE,
            n.wrapping_sub(&U256::ONE),
        ] {
            let [a, b] = [a, b].map(|number| to_bytes(&number));
            let mut sum = multiply_generator(&a);
            sum.add(&multiply_generator(&b));
            let expected = ProjectivePoint::GENERATOR * (scalar_of(&a) + scalar_of(&b));
            assert_same(&sum, &expected);
            sum.double();
            assert_same(&sum, &expected.double());
        }
    }
}

fn assert_same(point: &Point, expected: &ProjectivePoint) {
    let is_infinity = bool::from(expected.is_identity());
    assert_eq!(point.z.to_bytes() == [0; 32], is_infinity);
    if is_infinity {
        assert_ne!(point.y.to_bytes(), [0; 32]);
    } else {
        assert_eq!(point.to_affine().encode(), sec1(expected));
    }
}

#[test]
fn encodings_of_points() {
    for round in 0..40 * rounds() {
        // A number is the x-coordinate of a point half of the time.
        let mut x = [3; 33];
        x[0] = 2 + u8::try_from(round % 2).unwrap();
        x[1..].copy_from_slice(&random::<32>());
        same_verdict(&x);
        let point = ProjectivePoint::GENERATOR * scalar_of(&random());
        let mut uncompressed = sec1(&point);
        same_verdict(&uncompressed);
        same_verdict(AffinePoint::from(point).to_sec1_point(true).as_bytes());
        uncompressed[usize::from(random::<1>()[0]) % 65] ^= 1;
        same_verdict(&uncompressed);
    }
    for x in edges() {
        for first in [2, 3] {
            same_verdict(&[[first].as_slice(), &x].concat());
        }
        for y in edges().iter().step_by(7) {
            same_verdict(&[[4].as_slice(), &x, y].concat());
        }
    }
    for length in [0, 1, 32, 34, 64, 66] {
        assert!(Affine::decode(&vec![2; length]).is_none());
        assert!(Affine::decode(&vec![4; length]).is_none());
    }
}

/// A point whose y is so small that y + p fits into 32 bytes.
#[test]
fn coordinates_are_below_p() {
    let x = decode("8d0177ebab9c6e9e10db6dd095dbac0d6375e8a97b70f611875d877f0069d2c7");
    let encoded = |y: &U256| [[4].as_slice(), &x, &to_bytes(y)].concat();
    let p = bytes(&decode(P_HEX));
    let one = U256::ONE;
    assert!(Affine::decode(&encoded(&one)).is_some());
    assert!(Affine::decode(&encoded(&p.wrapping_add(&one))).is_none());
    same_verdict(&encoded(&p.wrapping_sub(&one)));
    same_verdict(&encoded(&p.wrapping_add(&one)));
}

fn same_verdict(encoded: &[u8]) {
    let point = Affine::decode(encoded).map(|point| point.encode());
    let oracle = PublicKey::from_sec1_bytes(encoded).ok();
    assert_eq!(
        point,
        oracle.map(|point| sec1(&point.to_projective())),
        "{encoded:?}"
    );
}

// ---- ECDSA

#[test]
fn nonces_and_signatures() {
    let digests = edges();
    let order = bytes(&decode(N_HEX));
    for round in 0..40 * rounds() {
        let private = loop {
            let scalar: [u8; 32] = random();
            if let Some(secret) = Secret::from_bytes(&scalar) {
                break secret;
            }
        };
        let digest = digests.get(round * 3).copied().unwrap_or_else(random);
        let scalar = private.to_bytes();

        let mut nonces = Nonces::new(&private, &Scalar::from_bytes_reduced(&digest));
        let mut oracle = KGenerator::<Sha256, U256>::new(scalar.as_slice(), &digest, &[], &order);
        for _ in 0..3 {
            let mut expected = [0; 32];
            oracle.fill_next_k(&mut expected);
            assert_eq!(*nonces.next().to_bytes(), expected);
        }

        let signature = ecdsa::sign(&private, &digest);
        let key = SigningKey::from_slice(scalar.as_slice()).unwrap();
        let (oracle, _) = key.sign_prehash_recoverable(&digest);
        let (r, s) = signature.split_bytes();
        assert_eq!([r, s].concat(), oracle.to_bytes().as_slice());

        let public = private.public();
        assert!(verdict(&public, &digest, &r, &s));
        let altered = |number: &[u8; 32]| {
            let mut number = *number;
            number[usize::from(random::<1>()[0]) % 32] ^= 1 << (random::<1>()[0] % 8);
            number
        };
        assert!(!verdict(&public, &altered(&digest), &r, &s));
        assert!(!verdict(&public, &digest, &altered(&r), &s));
        assert!(!verdict(&public, &digest, &r, &altered(&s)));
        // The other S.
        let high = Big::n().subtract(&U256::ZERO, &bytes(&s));
        assert!(verdict(&public, &digest, &r, &to_bytes(&high)));
    }
}

#[test]
fn numbers_of_signatures_are_from_1_to_the_order() {
    let public = Secret::from_bytes(&[1; 32]).unwrap().public();
    for r in edges() {
        for s in edges().into_iter().step_by(9) {
            verdict(&public, &[2; 32], &r, &s);
            verdict(&public, &[2; 32], &s, &r);
        }
    }
}

/// Signatures for which u1 G and u2 Q are opposite, or equal.
#[test]
fn signatures_whose_points_meet() {
    for _ in 0..10 * rounds() {
        let [d, k, s] = core::array::from_fn(|_| scalar_of(&random()));
        let public = Affine::decode(&sec1(&(ProjectivePoint::GENERATOR * d))).unwrap();
        let raw = |scalar: ::p256::Scalar| -> [u8; 32] { scalar.to_repr().into() };
        // z = -r d
        let r = k;
        assert!(!verdict(&public, &raw(-(r * d)), &raw(r), &raw(s)));
        // z = r d, and s so that u1 = k / 2
        let point = (ProjectivePoint::GENERATOR * k).to_affine();
        let x: [u8; 32] = point.to_sec1_point(false).as_bytes()[1..33]
            .try_into()
            .unwrap();
        let r = scalar_of(&x);
        let z = r * d;
        let s = z.double() * k.invert().unwrap();
        assert!(verdict(&public, &raw(z), &raw(r), &raw(s)));
    }
}

/// Signatures whose point has a small x, or one that is not below n; and with a small s. The key is
/// the one for which the signature is valid: (s R - z G) / r.
#[test]
fn signatures_of_chosen_points() {
    let n = bytes(&decode(N_HEX));
    let (mut small, mut large) = (0, 0);
    for x in (0..20_u8).flat_map(|x| [U256::from(x), n.wrapping_add(&U256::from(x))]) {
        let x = to_bytes(&x);
        let Ok(point) = PublicKey::from_sec1_bytes(&[[2].as_slice(), &x].concat()) else {
            continue;
        };
        let r = scalar_of(&x);
        let Some(inverse) = Option::<::p256::Scalar>::from(r.invert()) else {
            continue;
        };
        let digest = random();
        let s = U256::from(1 + random::<1>()[0] % 100);
        let key = point.to_projective() * scalar_of(&to_bytes(&s))
            - ProjectivePoint::GENERATOR * scalar_of(&digest);
        let public = Affine::decode(&sec1(&(key * inverse))).unwrap();
        let r: [u8; 32] = r.to_repr().into();
        assert!(verdict(&public, &digest, &r, &to_bytes(&s)));
        // The same numbers modulo n, which is no other way to write a signature.
        let above = |number: &U256| to_bytes(&number.wrapping_add(&n));
        assert!(!verdict(
            &public,
            &digest,
            &above(&bytes(&r)),
            &to_bytes(&s)
        ));
        assert!(!verdict(&public, &digest, &r, &above(&s)));
        if x == r {
            small += 1;
        } else {
            large += 1;
        }
    }
    assert!(small > 2 && large > 2, "{small}, {large}");
}

/// The verdict, which must be the oracle's.
fn verdict(public: &Affine, digest: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> bool {
    let verdict =
        Signature::from_scalars(*r, *s).is_some_and(|signature| signature.verifies(public, digest));
    let raw = [*r, *s].concat();
    assert_eq!(
        Signature::from_slice(&raw).is_some(),
        Signature::from_scalars(*r, *s).is_some()
    );
    let key = VerifyingKey::from_sec1_bytes(&public.encode()).unwrap();
    let oracle = ::p256::ecdsa::Signature::from_slice(&raw);
    assert_eq!(Signature::from_slice(&raw).is_some(), oracle.is_ok());
    let oracle = oracle.is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok());
    assert_eq!(
        verdict,
        oracle,
        "{public:?} {digest:?} {raw:?}",
        public = public.encode()
    );
    verdict
}

// ---- What is compared with

/// The oracle's numbers.
struct Big {
    modulus: NonZero<U256>,
}

impl Big {
    fn p() -> Self {
        Self {
            modulus: NonZero::new(bytes(&decode(P_HEX))).unwrap(),
        }
    }

    fn n() -> Self {
        Self {
            modulus: NonZero::new(bytes(&decode(N_HEX))).unwrap(),
        }
    }

    fn reduce(&self, a: &U256) -> U256 {
        a.rem(&self.modulus)
    }

    fn add(&self, a: &U256, b: &U256) -> U256 {
        self.reduce(a).add_mod(&self.reduce(b), &self.modulus)
    }

    fn subtract(&self, a: &U256, b: &U256) -> U256 {
        self.reduce(a).sub_mod(&self.reduce(b), &self.modulus)
    }

    fn multiply(&self, a: &U256, b: &U256) -> U256 {
        self.reduce(a).mul_mod(&self.reduce(b), &self.modulus)
    }

    fn power_of_2(&self, exponent: usize) -> U256 {
        (0..exponent).fold(U256::ONE, |power, _| self.add(&power, &power))
    }

    /// The number of limbs or columns.
    fn of_limbs(&self, limbs: &[i64]) -> U256 {
        let radix = U256::from(1_u64 << 29);
        limbs.iter().rev().fold(U256::ZERO, |sum, limb| {
            let sum = self.multiply(&sum, &radix);
            let magnitude = U256::from(limb.unsigned_abs());
            if *limb < 0 {
                self.subtract(&sum, &magnitude)
            } else {
                self.add(&sum, &magnitude)
            }
        })
    }

    /// The number that the limbs are, which is the residue's Montgomery form.
    fn of<M: Modulus>(&self, residue: &Residue<M>) -> U256 {
        self.of_limbs(&residue.0.map(i64::from))
    }
}

fn bytes(bytes: &[u8; 32]) -> U256 {
    U256::from_be_slice(bytes)
}

fn to_bytes(number: &U256) -> [u8; 32] {
    number.to_be_bytes().as_ref().try_into().unwrap()
}

fn decode(text: &str) -> [u8; 32] {
    hex::decode(text, 32).unwrap().try_into().unwrap()
}

fn scalar_of(bytes: &[u8; 32]) -> ::p256::Scalar {
    <::p256::Scalar as Reduce<::p256::FieldBytes>>::reduce(&(*bytes).into())
}

fn sec1(point: &ProjectivePoint) -> [u8; 65] {
    let point = AffinePoint::from(*point).to_sec1_point(false);
    point.as_bytes().try_into().unwrap()
}

fn random<const SIZE: usize>() -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    SystemRandom.fill(&mut bytes).unwrap();
    bytes
}

fn rounds() -> usize {
    std::env::var("P256_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// Numbers at which carries and reductions go wrong first.
fn edges() -> Vec<[u8; 32]> {
    let mut numbers = vec![U256::ZERO, U256::MAX];
    for near in [
        U256::ZERO,
        bytes(&decode(P_HEX)),
        bytes(&decode(N_HEX)),
        bytes(&decode(P_HEX)).shr(1),
        bytes(&decode(N_HEX)).shr(1),
    ] {
        for distance in 1..=3_u8 {
            numbers.push(near.wrapping_add(&U256::from(distance)));
            numbers.push(near.wrapping_sub(&U256::from(distance)));
        }
        numbers.push(near);
    }
    // Around the ends of limbs, and of the terms of p and n.
    for bit in [28, 29, 57, 58, 64, 96, 116, 128, 145, 192, 224, 232, 255] {
        let power = U256::ONE.shl(bit);
        numbers.push(power);
        numbers.push(power.wrapping_sub(&U256::ONE));
        numbers.push(power.wrapping_neg());
    }
    // All digits of the same kind: 8 and 7 are where digits change their signs.
    for byte in [0x77, 0x78, 0x80, 0x87, 0x88, 0x55, 0xaa, 0x0f, 0xf0] {
        numbers.push(bytes(&[byte; 32]));
    }
    numbers.iter().map(to_bytes).collect()
}
