//! Storage that outlives a client, as a browser's outlives a page.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use gridkey::{
    crypto::key::PublicKey,
    error::{Error, ErrorCode, Result},
    ports::{KeyStore, LocalFuture, Notes, SessionSigner},
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};

/// Notes in memory; a page that is loaded anew finds them again.
#[derive(Default)]
pub struct TestNotes(RefCell<HashMap<String, String>>);

impl TestNotes {
    pub fn all(&self) -> HashMap<String, String> {
        self.0.borrow().clone()
    }
}

impl Notes for TestNotes {
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

/// Keys as WebCrypto has them: they sign and cannot be read.
#[derive(Default)]
pub struct TestKeyStore {
    keys: RefCell<HashMap<String, Rc<TestSigner>>>,
    is_unavailable: RefCell<bool>,
}

impl TestKeyStore {
    pub fn len(&self) -> usize {
        self.keys.borrow().len()
    }

    /// As in a private window.
    pub fn make_unavailable(&self) {
        self.is_unavailable.replace(true);
    }

    fn check(&self) -> Result<()> {
        if *self.is_unavailable.borrow() {
            return Err(Error::new(ErrorCode::StorageUnavailable, "no storage"));
        }
        Ok(())
    }
}

struct TestSigner {
    key: SigningKey,
    public_key: PublicKey,
}

impl SessionSigner for TestSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: Vec<u8>) -> LocalFuture<'_, Result<Vec<u8>>> {
        Box::pin(async move {
            // As in a browser, not at once.
            tokio::task::yield_now().await;
            let signature: Signature = self.key.sign(&message);
            Ok(signature.to_bytes().to_vec())
        })
    }
}

impl KeyStore for TestKeyStore {
    fn generate(&self) -> LocalFuture<'_, Result<Rc<dyn SessionSigner>>> {
        Box::pin(async {
            self.check()?;
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).unwrap();
            let key = SigningKey::from_bytes(&bytes.into()).unwrap();
            let point = key.verifying_key().to_sec1_point(false);
            let public_key = PublicKey::from_sec1(point.as_bytes()).unwrap();
            let name = public_key.to_compressed_hex();
            let signer = Rc::new(TestSigner { key, public_key });
            self.keys.borrow_mut().insert(name, signer.clone());
            let signer: Rc<dyn SessionSigner> = signer;
            Ok(signer)
        })
    }

    fn load(&self, public_key: &str) -> LocalFuture<'_, Result<Option<Rc<dyn SessionSigner>>>> {
        let name = public_key.to_owned();
        Box::pin(async move {
            self.check()?;
            let signer = self.keys.borrow().get(&name).cloned();
            Ok(signer.map(|signer| -> Rc<dyn SessionSigner> { signer }))
        })
    }

    fn remove(&self, public_key: &str) -> LocalFuture<'_, ()> {
        self.keys.borrow_mut().remove(public_key);
        Box::pin(async {})
    }
}
