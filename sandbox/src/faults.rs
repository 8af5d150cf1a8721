//! Faults on order: slowness, lost answers, proxies' pages, errors.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{self, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde::Deserialize;
use serde_json::json;

use crate::{
    errors::{Code, GridError, Reason},
    http::Answer,
    operation::Operation,
};

/// A fault, and the requests it is meant for.
#[derive(Clone, Debug)]
pub struct FaultOrder {
    /// Only requests for this operation.
    pub operation: Option<Operation>,
    /// Only this leg: 1, 2 for a signed retry, or 3 for the second one of a delegated key.
    pub leg: Option<u8>,
    /// For how many requests.
    pub times: u32,
    /// What befalls them.
    pub fault: Fault,
}

/// What can befall a request. In JSON `{"kind": "drop", …}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// The request is processed and answered later.
    Delay {
        /// How much later, in milliseconds.
        ms: u64,
    },
    /// The connection is cut without an answer.
    Drop {
        /// Whether the request was processed before.
        #[serde(default)]
        processed: bool,
    },
    /// The request is processed; of the answer's body only the first half is sent, as if it were
    /// all.
    Truncate,
    /// The request is processed; the connection is cut in the middle of the answer's body.
    CutBody,
    /// Not processed: an answer that is not Grid's.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body; empty if missing.
        #[serde(default)]
        body: Option<String>,
        /// The body's type, `text/html` if missing.
        #[serde(default)]
        content_type: Option<String>,
    },
    /// Not processed: 429 `RATE_LIMITED`.
    RateLimit {
        /// `Retry-After`
        retry_after_seconds: u64,
    },
    /// Not processed: an error in Grid's shape.
    Error {
        /// The HTTP status.
        status: u16,
        /// Grid's error code.
        code: String,
    },
}

/// Orders that were not carried out yet.
#[derive(Default)]
pub(crate) struct Faults(Vec<FaultOrder>);

impl Faults {
    pub(crate) fn order(&mut self, order: FaultOrder) {
        self.0.push(order);
    }

    /// The fault of this request: the first order that is meant for it.
    pub(crate) fn take(&mut self, operation: Operation, leg: u8) -> Option<Fault> {
        self.0.retain(|order| order.times > 0);
        let order = self.0.iter_mut().find(|order| {
            order.operation.is_none_or(|wanted| wanted == operation)
                && order.leg.is_none_or(|wanted| wanted == leg)
        })?;
        order.times = order.times.saturating_sub(1);
        Some(order.fault.clone())
    }
}

impl Fault {
    /// Waits, if that is the fault.
    pub(crate) async fn delay(&self) {
        if let Self::Delay { ms } = self {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
        }
    }

    /// What is answered without processing the request.
    pub(crate) fn answer_instead(&self) -> Option<Response> {
        match self {
            Self::Delay { .. } | Self::Truncate | Self::CutBody => None,
            Self::Drop { processed: true } => None,
            Self::Drop { processed: false } => {
                Some(Response::new(Body::new(CutBody::before_anything())))
            }
            Self::Status {
                status,
                body,
                content_type,
            } => {
                let content_type = content_type.as_deref().unwrap_or("text/html");
                let body = Body::from(body.clone().unwrap_or_default());
                let response = Response::builder().status(*status);
                response.header(CONTENT_TYPE, content_type).body(body).ok()
            }
            Self::RateLimit {
                retry_after_seconds,
            } => {
                let error = GridError {
                    retry_after_seconds: Some(*retry_after_seconds),
                    ..GridError::new(Code::RateLimited, Reason::InjectedFault, "slow down")
                };
                Some(error.to_answer().into_response())
            }
            Self::Error { status, code } => {
                let body = json!({
                    "status": status,
                    "code": code,
                    "message": "told to answer so",
                    "details": { "reason": Reason::InjectedFault },
                });
                Some(Answer::json(*status, body).into_response())
            }
        }
    }

    /// What becomes of the answer to a request that was processed.
    pub(crate) fn spoil(&self, head: http::Response<()>, text: String) -> Response {
        let half: Vec<u8> = text.bytes().take(text.len().div_euclid(2)).collect();
        match self {
            Self::Drop { .. } => Response::new(Body::new(CutBody::before_anything())),
            Self::CutBody => head.map(|()| Body::new(CutBody::after(half.into(), text.len()))),
            Self::Truncate => head.map(|()| Body::from(half)),
            Self::Delay { .. }
            | Self::Status { .. }
            | Self::RateLimit { .. }
            | Self::Error { .. } => head.map(|()| Body::from(text)),
        }
    }
}

/// A body that fails, whereupon the server cuts the connection. When it fails at once, not even the
/// head of the answer was written.
struct CutBody {
    part: Option<Bytes>,
    promised: u64,
    is_flushed: bool,
}

impl CutBody {
    fn before_anything() -> Self {
        Self {
            part: None,
            promised: 1,
            is_flushed: true,
        }
    }

    fn after(part: Bytes, promised: usize) -> Self {
        let promised = u64::try_from(promised).unwrap_or(u64::MAX);
        Self {
            part: Some(part),
            promised,
            is_flushed: false,
        }
    }
}

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if !self.is_flushed {
            // Whoever has to wait for more of a body sends what it has.
            self.is_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut on order"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
