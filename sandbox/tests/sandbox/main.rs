//! The sandbox seen from outside, over HTTP.

#![cfg(test)]

mod accounts;
mod agents;
mod client;
mod conformance;
mod control;
mod credentials;
mod customers;
mod delegated_keys;
mod faults;
mod journeys;
mod lies;
mod lies_about_activities;
mod oidc;
mod oidc_provider;
mod otp;
mod passkeys;
mod platform;
mod quotes;
mod rate_limits;
mod revocation;
mod sca;
mod sessions;
mod signed_requests;
mod sms;
