//! Grid's endpoints as values: requests, answers, errors, and the signed retry.

#![forbid(unsafe_code)]

pub mod call;
pub mod client;
pub mod event;
pub mod failure;
pub mod operation;
pub mod request;
pub mod server_clock;
pub mod shape;
pub mod signed_retry;
pub mod types;
pub mod validate;
