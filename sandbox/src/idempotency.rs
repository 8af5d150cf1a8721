//! `Idempotency-Key`: a request that is sent again is answered as it was.

use std::collections::BTreeMap;

use crate::{
    errors::Result,
    http::{Answer, GridRequest},
    operation::Operation,
    state::Grid,
};

/// Answers by operation, path and key. Refusals are not among them: whoever corrects a refused
/// request may keep its key.
#[derive(Default)]
pub(crate) struct IdempotentAnswers(BTreeMap<(Operation, String, String), Answer>);

impl Grid<'_> {
    /// Performs a request, unless one with its key was performed before.
    pub(crate) fn once(
        &mut self,
        request: &GridRequest,
        perform: impl FnOnce(&mut Self) -> Result<Answer>,
    ) -> Result<Answer> {
        let Some(key) = request.idempotency_key() else {
            return perform(self);
        };
        let key = (request.operation, request.path.clone(), key.into_owned());
        if let Some(answer) = self.state.idempotent_answers.0.get(&key) {
            return Ok(answer.clone());
        }
        let answer = perform(self)?;
        self.state.idempotent_answers.0.insert(key, answer.clone());
        Ok(answer)
    }
}
