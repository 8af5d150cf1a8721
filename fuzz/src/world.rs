//! A world without a clock of its own: time passes when everybody waits, randomness is told, a person
//! answers each prompt at once, and what Grid answers is up to the fuzzer.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::pin,
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use arbitrary::Unstructured;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    Error, ErrorCode,
    crypto::{
        json::Json,
        key::{PrivateKey, PublicKey},
    },
    error::Result,
    formats::passkey::{
        PasskeyAssertion, PasskeyAssertionRequest, PasskeyAttestation, PasskeyCreationRequest,
    },
    ports::{Authenticator, Clock, KeyStore, LocalFuture, Notes, Random, SessionSigner},
};
use sha2::{Digest, Sha256};

use crate::{mutate, right};

/// When everything begins.
pub const START_MS: i64 = 1_775_662_500_000;
/// Nobody is asked more often than this.
const MAX_ROUNDS: usize = 20_000;

/// Time, and what happens in the background.
pub struct FuzzClock {
    now_ms: Cell<i64>,
    sleepers: RefCell<Vec<(i64, Weak<()>)>>,
    tasks: RefCell<Vec<LocalFuture<'static, ()>>>,
}

impl Default for FuzzClock {
    fn default() -> Self {
        NOW.with(|now| now.set(START_MS));
        Self {
            now_ms: Cell::new(START_MS),
            sleepers: RefCell::default(),
            tasks: RefCell::default(),
        }
    }
}

impl Clock for FuzzClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let due_ms = self
            .now_ms()
            .saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
        let alive = Rc::new(());
        self.sleepers
            .borrow_mut()
            .push((due_ms, Rc::downgrade(&alive)));
        Box::pin(std::future::poll_fn(move |_| {
            let _ = &alive;
            match NOW.with(Cell::get) >= due_ms {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }

    fn spawn(&self, task: LocalFuture<'static, ()>) {
        self.tasks.borrow_mut().push(task);
    }
}

thread_local! {
    /// As the clock has it: who sleeps does not hold the clock.
    static NOW: Cell<i64> = const { Cell::new(START_MS) };
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl FuzzClock {
    /// Runs to the end, which there must be: whoever waits for nothing hangs, and whoever goes on and on
    /// never ends.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(flag.clone());
        let mut context = Context::from_waker(&waker);
        for _ in 0..MAX_ROUNDS {
            flag.0.store(false, Ordering::Relaxed);
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            let tasks = self.tasks.take();
            let mut is_done =
                |task: &mut LocalFuture<'static, ()>| task.as_mut().poll(&mut context).is_ready();
            let mut left: Vec<_> = tasks
                .into_iter()
                .filter_map(|mut task| (!is_done(&mut task)).then_some(task))
                .collect();
            let is_new = !self.tasks.borrow().is_empty();
            left.append(&mut self.tasks.borrow_mut());
            self.tasks.replace(left);
            if !is_new && !flag.0.load(Ordering::Relaxed) {
                self.pass();
            }
        }
        panic!("it does not end");
    }

    /// Until the first of those who sleep wakes.
    fn pass(&self) {
        let mut sleepers = self.sleepers.borrow_mut();
        sleepers.retain(|(due_ms, alive)| alive.strong_count() > 0 && *due_ms > self.now_ms.get());
        let due_ms = sleepers.iter().map(|(due_ms, _)| *due_ms).min();
        let due_ms = due_ms.expect("it waits for nothing");
        self.now_ms.set(due_ms);
        NOW.with(|now| now.set(due_ms));
    }

    /// Before the next input.
    pub fn clear(&self) {
        self.tasks.take();
    }
}

/// Randomness that is the same each time.
#[derive(Default)]
pub struct FuzzRandom(Cell<u64>);

impl Random for FuzzRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(32) {
            self.0.set(self.0.get() + 1);
            let digest = Sha256::digest(self.0.get().to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
        Ok(())
    }
}

/// Notes in memory.
#[derive(Default)]
pub struct FuzzNotes(pub RefCell<HashMap<String, String>>);

impl Notes for FuzzNotes {
    fn get(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }

    fn set(&self, name: &str, text: Option<&str>) {
        let mut notes = self.0.borrow_mut();
        match text {
            Some(text) => notes.insert(name.to_owned(), text.to_owned()),
            None => notes.remove(name),
        };
    }
}

/// One key, in a browser's keeping.
pub struct FuzzKeyStore(pub Rc<PrivateKey>);

struct Kept(Rc<PrivateKey>);

impl SessionSigner for Kept {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: Vec<u8>) -> LocalFuture<'_, Result<Vec<u8>>> {
        Box::pin(async move { Ok(right::signature(&self.0, &message)) })
    }
}

impl KeyStore for FuzzKeyStore {
    fn generate(&self) -> LocalFuture<'_, Result<Rc<dyn SessionSigner>>> {
        let kept: Rc<dyn SessionSigner> = Rc::new(Kept(self.0.clone()));
        Box::pin(async move { Ok(kept) })
    }

    fn load(&self, public_key: &str) -> LocalFuture<'_, Result<Option<Rc<dyn SessionSigner>>>> {
        let is_kept = public_key == self.0.public_key().to_compressed_hex();
        let kept: Rc<dyn SessionSigner> = Rc::new(Kept(self.0.clone()));
        Box::pin(async move { Ok(is_kept.then_some(kept)) })
    }

    fn remove(&self, _: &str) -> LocalFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// What the fuzzer chooses, a little for each answer. When it has run out, all is right.
pub struct Choices {
    bytes: Vec<u8>,
    at: Cell<usize>,
}

impl Choices {
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_owned(),
            at: Cell::new(0),
        }
    }

    /// What there is for the next answer: nothing where the first of it is even.
    pub fn next(&self) -> Option<Vec<u8>> {
        let rest = self.bytes.get(self.at.get()..)?;
        let (first, rest) = rest.split_first()?;
        if first % 2 == 0 {
            self.at.set(self.at.get() + 1);
            return None;
        }
        let length = rest.len().min(usize::from(first / 2));
        self.at.set(self.at.get() + 1 + length);
        Some(rest[..length].to_vec())
    }
}

/// A person with a passkey, and a device that answers what it was asked, or something else.
pub struct FuzzAuthenticator {
    pub choices: Rc<Choices>,
    /// Whether anything was not as it should be.
    pub is_altered: Rc<Cell<bool>>,
    /// What it has made.
    pub made: RefCell<Vec<PasskeyAttestation>>,
}

impl FuzzAuthenticator {
    fn client_data(&self, kind: &str, challenge: &[u8]) -> Result<String> {
        let mut json = Json::object([
            ("type", kind.into()),
            ("challenge", BASE64.encode(challenge).into()),
            ("origin", "https://wallet.example".into()),
        ]);
        if let Some(choices) = self.choices.next() {
            self.is_altered.set(true);
            let mut u = Unstructured::new(&choices);
            if u.ratio(1_u8, 4_u8).unwrap_or(false) {
                return Err(Error::new(ErrorCode::PasskeyNotUsed, "closed"));
            }
            mutate::json(&mut u, &mut json).ok();
        }
        Ok(BASE64.encode(json.to_text()))
    }
}

impl Authenticator for FuzzAuthenticator {
    fn create(
        &self,
        request: PasskeyCreationRequest,
    ) -> LocalFuture<'_, Result<PasskeyAttestation>> {
        Box::pin(async move {
            let attestation = PasskeyAttestation {
                credential_id: BASE64.encode(b"a new passkey"),
                client_data_json: self.client_data("webauthn.create", &request.challenge)?,
                attestation_object: BASE64.encode(b"attestation"),
                transports: vec!["internal".to_owned()],
            };
            self.made.borrow_mut().push(attestation.clone());
            Ok(attestation)
        })
    }

    fn get(&self, request: PasskeyAssertionRequest) -> LocalFuture<'_, Result<PasskeyAssertion>> {
        Box::pin(async move {
            Ok(PasskeyAssertion {
                credential_id: BASE64.encode(&request.credential_id),
                client_data_json: self.client_data("webauthn.get", &request.challenge)?,
                authenticator_data: BASE64.encode(b"data"),
                signature: BASE64.encode(b"signature"),
                user_handle: None,
            })
        })
    }
}
