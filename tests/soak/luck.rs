//! Chance that can be had again: all that is left to it in a run follows from one seed.

use std::cell::{Cell, RefCell};

use gridkey::{crypto::random::Random, error::Result};

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub struct Dice(Cell<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub fn roll(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&self, end: u64) -> u64 {
        self.roll() % end
    }

    pub fn one_in(&self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn one_of<T: Copy>(&self, these: &[T]) -> T {
        these[usize::try_from(self.below(these.len() as u64)).unwrap()]
    }
}

/// The client's source of keys. It remembers each of them, so that they can be looked for where
/// they must not be any more; disguised, because where they are remembered is not such a place.
pub struct KnownRandom {
    dice: Dice,
    given: RefCell<Vec<Disguised>>,
}

/// 32 bytes, each with a bit flipped.
#[derive(Clone, Copy)]
pub struct Disguised([u8; 32]);

const DISGUISE: u8 = 0x10;

impl Disguised {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(secret.map(|byte| byte ^ DISGUISE))
    }

    pub fn revealed(&self) -> [u8; 32] {
        self.0.map(|byte| byte ^ DISGUISE)
    }

    /// As keys keep it, and as messages would.
    pub fn both_ways(&self) -> [Self; 2] {
        let mut reversed = self.0;
        reversed.reverse();
        [*self, Self(reversed)]
    }

    pub fn head(&self) -> [u8; 8] {
        *self.0.first_chunk().unwrap()
    }

    pub fn disguise(byte: u8) -> u8 {
        byte ^ DISGUISE
    }

    pub fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= 32 && self.0.iter().zip(bytes).all(|(a, b)| *a == b ^ DISGUISE)
    }
}

impl KnownRandom {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            given: RefCell::default(),
        }
    }

    /// What it has given for keys, the newest last.
    pub fn keys(&self) -> Vec<Disguised> {
        self.given.borrow().clone()
    }
}

impl Random for KnownRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(8) {
            let rolled = self.dice.roll().to_le_bytes();
            chunk.copy_from_slice(&rolled[..chunk.len()]);
        }
        if let Ok(key) = <&[u8; 32]>::try_from(&*bytes) {
            self.given.borrow_mut().push(Disguised::new(key));
        }
        Ok(())
    }
}
