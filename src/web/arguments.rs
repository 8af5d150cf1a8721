//! The arguments of a call, as `pkg/bridge.js` has read and checked them: one value after the other.
//!
//! They are of the right types because that has seen to it; what is not is taken for nothing.

use alloc::{rc::Rc, string::String, vec::IntoIter, vec::Vec};

use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use zeroize::Zeroizing;

use super::{
    bridge::{Object, held},
    cancellation::{AbortSignal, Canceller, Either},
    number,
};
use crate::{
    api::client::CallOptions,
    crypto::json::{Json, Limits},
    error::Result,
    formats::otp::OtpCode,
    ports::Cancellation,
};

/// Above what JSON of 256 Ki characters can have.
const LIMITS: Limits = Limits {
    bytes: 4 << 20,
    depth: 16,
};

pub(super) struct Arguments {
    values: IntoIter<JsValue>,
    /// Kept here until the method has returned.
    options: CallOptions,
}

impl Arguments {
    pub(super) fn new(values: Vec<JsValue>) -> Self {
        Self {
            values: values.into_iter(),
            options: CallOptions::default(),
        }
    }

    /// The next value.
    #[inline(never)]
    pub(super) fn value(&mut self) -> JsValue {
        self.values.next().unwrap_or_default()
    }

    /// A text.
    #[inline(never)]
    pub(super) fn text(&mut self) -> String {
        self.optional_text().unwrap_or_default()
    }

    /// A text, where there is one.
    #[inline(never)]
    pub(super) fn optional_text(&mut self) -> Option<String> {
        let text = self.value().as_string();
        #[cfg(feature = "test-trap")]
        super::trap::if_told_to(text.as_deref());
        text
    }

    /// One of a few texts, where there is one.
    #[inline(never)]
    pub(super) fn choice(&mut self, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.optional_text()?;
        choices.iter().copied().find(|choice| *choice == text)
    }

    /// A boolean; false where there is none.
    pub(super) fn flag(&mut self) -> bool {
        self.value().is_truthy()
    }

    /// A whole number, where there is one.
    #[inline(never)]
    pub(super) fn number(&mut self) -> Option<u64> {
        number::whole(self.value().as_f64()?, u64::MAX)
    }

    /// A function, where there is one.
    #[inline(never)]
    pub(super) fn function(&mut self) -> Option<Function> {
        let value = self.value();
        value.is_function().then(|| value.unchecked_into())
    }

    /// An object of ours.
    pub(super) fn object(&mut self) -> Result<Object> {
        held(
            self.number()
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0),
        )
    }

    /// Data, where there is some.
    #[inline(never)]
    pub(super) fn json(&mut self) -> Option<Json> {
        json(&self.optional_text()?)
    }

    /// A one-time code. The only copy here is wiped.
    pub(super) fn otp_code(&mut self) -> Result<OtpCode> {
        OtpCode::new(Zeroizing::new(self.text()).as_bytes())
    }

    /// The bytes of a private key. The only copy here is wiped.
    #[inline(never)]
    pub(super) fn private_key(&mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.value().unchecked_into::<Uint8Array>().to_vec())
    }

    /// What every call takes.
    #[inline(never)]
    pub(super) fn call(&mut self) -> &CallOptions {
        let signal = self.signal();
        self.options(signal.map(|signal| -> Rc<dyn Cancellation> { Rc::new(signal) }))
    }

    /// As [`Self::call`], and lets `canceller` end the call as well.
    #[inline(never)]
    pub(super) fn cancellable_call(&mut self, canceller: &Canceller) -> &CallOptions {
        let cancellation: Option<Rc<dyn Cancellation>> = match (self.signal(), canceller.begin()) {
            (Some(signal), Some(own)) => Some(Rc::new(Either(signal, own))),
            (Some(signal), None) | (None, Some(signal)) => Some(Rc::new(signal)),
            (None, None) => None,
        };
        self.options(cancellation)
    }

    fn signal(&mut self) -> Option<AbortSignal> {
        AbortSignal::new(self.value())
    }

    fn options(&mut self, cancellation: Option<Rc<dyn Cancellation>>) -> &CallOptions {
        self.options = CallOptions {
            cancellation,
            timeout_ms: self.number(),
        };
        &self.options
    }
}

/// What `pkg/bridge.js` wrote as JSON; nothing where it wrote something else.
pub(super) fn json(text: &str) -> Option<Json> {
    Json::parse(text, LIMITS).ok()
}
