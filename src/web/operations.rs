//! Layer 2: Grid's operations, one leg each.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::{
    args::{Argument, read},
    call::{Call, MAX_ID_CHARS, or_rejected},
    client::GridkeyClient,
    object::from_json,
};
use crate::{
    api::{
        operation::{Body, Operation},
        request::Request,
    },
    crypto::json::Json,
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types/operations.d.ts");

#[wasm_bindgen]
impl GridkeyClient {
    /// The operation of `GridOperations` of this name. Its arguments before `call` are the id, if
    /// its path has one, and its body or query, if it has one.
    ///
    /// One method for all, because each exported one weighs more than what they differ in.
    pub fn operation(
        &self,
        name: &str,
        first: &JsValue,
        second: &JsValue,
        call: &JsValue,
    ) -> Promise {
        let client = self.client.clone();
        or_rejected((|| {
            let operation = Operation::ALL.iter().find(|known| known.spec().id == name);
            let operation =
                *operation.ok_or_else(|| Error::invalid_argument("No such operation."))?;
            let spec = operation.spec();
            let (request, call) = read(|problem| {
                let mut request = Request::new(operation);
                let mut rest = first;
                if let Some((name, _)) = spec.subject {
                    let id = Argument::new(problem, first, name);
                    request.id = Some(id.as_text(MAX_ID_CHARS));
                    rest = second;
                }
                match spec.body {
                    Body::None if spec.query.is_empty() => {}
                    Body::None => request.query = Argument::new(problem, rest, "query").as_json(),
                    Body::Optional(_) | Body::Defaulted(_) | Body::Required(_) => {
                        let body = Argument::new(problem, rest, "body");
                        if matches!(spec.body, Body::Required(_)) {
                            body.demand_object();
                        }
                        request.body = body.as_json();
                    }
                }
                let call = Argument::new(problem, call, "call");
                request.headers = Call::read_headers(call);
                (request, Call::read(call))
            })?;
            Ok(call.promise(|options| async move {
                let answer = client.api().call(request, &options).await?;
                Ok(from_json(&Json::Object(answer.into_members())))
            }))
        })())
    }
}
