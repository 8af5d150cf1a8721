//! ECDSA with SHA-256: SEC1 section 4.1, with the nonces of RFC 6979.

use zeroize::Zeroizing;

use super::{
    super::hmac::hmac,
    Secret,
    limbs::is_below,
    point::{Affine, multiply_generator},
    scalar::{N, Scalar},
};

/// Two numbers in `1..n`, 32 bytes each, big-endian.
pub(crate) struct Signature {
    r: [u8; 32],
    s: [u8; 32],
}

impl Signature {
    pub(crate) fn from_scalars(r: [u8; 32], s: [u8; 32]) -> Option<Self> {
        let in_range = |number: &[u8; 32]| number != &[0; 32] && is_below::<N>(number).into();
        (in_range(&r) && in_range(&s)).then_some(Self { r, s })
    }

    /// From `r || s`, 64 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (r, s) = bytes.split_first_chunk()?;
        Self::from_scalars(*r, s.try_into().ok()?)
    }

    pub(crate) fn split_bytes(&self) -> ([u8; 32], [u8; 32]) {
        (self.r, self.s)
    }

    /// Whether the key signed what has this digest.
    pub(crate) fn verifies(&self, public: &Affine, digest: &[u8; 32]) -> bool {
        let inverse = Scalar::from_bytes_reduced(&self.s).invert();
        let u1 = Scalar::from_bytes_reduced(digest).multiply(&inverse);
        let u2 = Scalar::from_bytes_reduced(&self.r).multiply(&inverse);
        let mut point = multiply_generator(&u1.to_bytes());
        point.add(&public.multiply(&u2.to_bytes()));
        // At infinity x is given as 0, which is no r.
        let x = point.to_affine().x.to_bytes();
        Scalar::from_bytes_reduced(&x).to_bytes() == self.r
    }
}

/// Signs what has this digest. S is as it comes, not normalised to the lower half.
pub(crate) fn sign(secret: &Secret, digest: &[u8; 32]) -> Signature {
    let digest = Scalar::from_bytes_reduced(digest);
    let mut nonces = Nonces::new(secret, &digest);
    let key = Zeroizing::new(Scalar::from_bytes_reduced(&secret.to_bytes()));
    loop {
        let nonce = nonces.next().to_bytes();
        let point = Zeroizing::new(multiply_generator(&nonce).to_affine());
        let r = Scalar::from_bytes_reduced(&point.x.to_bytes());
        let nonce = Zeroizing::new(Scalar::from_bytes_reduced(&nonce));
        let inverse = Zeroizing::new(nonce.invert());
        // s = (z + r d) / k
        let sum = Zeroizing::new(Scalar::sum_of_products(&r, &key, &digest, &Scalar::ONE));
        let s = sum.multiply(&inverse);
        // Neither is 0 but once in 2^255.
        if let Some(signature) = Signature::from_scalars(r.to_bytes(), s.to_bytes()) {
            return signature;
        }
    }
}

// RFC 6979 section 3.2, where HMAC is with SHA-256, and an integer and a digest have as many bits.
//
// b. V = 0x01 0x01 0x01 ... 0x01
// c. K = 0x00 0x00 0x00 ... 0x00
// d. K = HMAC_K(V || 0x00 || int2octets(x) || bits2octets(h1))
// e. V = HMAC_K(V)
// f. K = HMAC_K(V || 0x01 || int2octets(x) || bits2octets(h1))
// g. V = HMAC_K(V)
// h. Apply the following algorithm until a proper value is found for k:
//    V = HMAC_K(V)
//    If that value of k is within the [1,q-1] range, and is suitable for DSA or ECDSA, then the
//    generation of k is finished. Otherwise, compute:
//    K = HMAC_K(V || 0x00)
//    V = HMAC_K(V)
//    and loop.
pub(super) struct Nonces {
    key: Zeroizing<[u8; 32]>,
    value: Zeroizing<[u8; 32]>,
    first: bool,
}

impl Nonces {
    pub(super) fn new(secret: &Secret, digest: &Scalar) -> Self {
        let mut nonces = Self {
            key: Zeroizing::new([0; 32]),
            value: Zeroizing::new([1; 32]),
            first: true,
        };
        let (secret, digest) = (secret.to_bytes(), digest.to_bytes());
        nonces.update(&[&[0], &*secret, &digest]);
        nonces.update(&[&[1], &*secret, &digest]);
        nonces
    }

    pub(super) fn next(&mut self) -> Secret {
        loop {
            if !self.first {
                self.update(&[&[0]]);
            }
            self.first = false;
            self.value = self.mac(&[]);
            if let Some(nonce) = Secret::from_bytes(&self.value) {
                return nonce;
            }
        }
    }

    /// `K = HMAC_K(V || input)`, `V = HMAC_K(V)`
    fn update(&mut self, input: &[&[u8]]) {
        self.key = self.mac(input);
        self.value = self.mac(&[]);
    }

    /// `HMAC_K(V || input)`
    fn mac(&self, input: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        hmac(&*self.key, &*self.value, input, &[])
    }
}
