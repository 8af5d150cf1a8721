//! What a signed-in customer can do with the wallet: credentials, contact, privacy, export,
//! payments, delegated keys, and what Grid adds next.

use alloc::{borrow::ToOwned as _, boxed::Box, rc::Rc, string::String, vec::Vec};

use zeroize::Zeroizing;

use super::{
    otp::OtpSignIn,
    session::{WalletSession, gone},
    signed::{Purpose, check_and_stamp, known},
    steps::{Work, begun, then},
};
use crate::{
    api::{
        client::CallOptions,
        operation::{Operation, QUOTE},
        request::{Request, Route, SignedHeaders},
        shape::check_given,
        signed_retry::{DoneAtOnce, check_not_aborted, outcome_unknown},
        types::{AuthMethod, AuthMethodType},
        validate,
    },
    crypto::{encoding::hex, json::Json},
    error::{Error, ErrorCode, Result},
    formats::{
        intent::{Intent, Stated},
        oauth::{ExpectedIdToken, check_id_token},
        timestamp::parse_rfc3339_ms,
        wallet_export::WalletExportKey,
    },
};

/// RFC 5321: an address has at most 254 characters; E.164: a number has at most 15 digits.
const MAX_CONTACT_BYTES: usize = 320;

/// How the execution of a quote is asked for.
#[derive(Clone, Debug, Default)]
pub struct ExecuteOptions {
    /// `Idempotency-Key`; missing: a random one.
    pub idempotency_key: Option<String>,
    /// How the customer would authorise it where strong authentication is asked for.
    pub sca_factor: Option<String>,
    /// The wallet that pays, where the caller knows it; missing: the one that was seen before.
    pub sign_with: Option<String>,
}

/// Whose contact is changed.
#[derive(Clone, Debug)]
pub struct Customer {
    /// `Customer:<uuid>`
    pub id: String,
    /// Whether it is a business.
    pub is_business: bool,
}

impl From<&str> for Customer {
    fn from(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            is_business: false,
        }
    }
}

impl From<&String> for Customer {
    fn from(id: &String) -> Self {
        Self::from(id.as_str())
    }
}

impl WalletSession {
    /// Adds an account at an identity provider. The token carries no nonce.
    pub fn add_oauth(
        &self,
        id_token: &str,
        client_id: Option<&str>,
        options: &CallOptions,
    ) -> Work<AuthMethod> {
        begun(|| {
            let time = self.inner.core.api.time();
            time.check()?;
            let expected = ExpectedIdToken {
                nonce: None,
                client_id,
                now_ms: time.now_ms(),
                uncertainty_ms: time.uncertainty_ms(),
            };
            check_id_token(id_token, &expected)?;
            let intent = Intent::AddOauth {
                oidc_token: id_token.to_owned(),
            };
            self.add(AuthMethodType::Oauth, Some(id_token), intent, options)
        })
    }

    /// Adds the customer's e-mail address back. The code that it sends activates it, and opens a
    /// session by it.
    pub fn add_email_otp(&self, email: &str, options: &CallOptions) -> Work<OtpSignIn> {
        let intent = Intent::SetEmail {
            email: email.to_owned(),
        };
        self.add_otp(AuthMethodType::EmailOtp, "email", email, intent, options)
    }

    /// As [`Self::add_email_otp`], with the customer's phone number, E.164.
    pub fn add_sms_otp(&self, phone_number: &str, options: &CallOptions) -> Work<OtpSignIn> {
        let intent = Intent::SetPhone {
            phone_number: phone_number.to_owned(),
        };
        let name = "phoneNumber";
        self.add_otp(AuthMethodType::SmsOtp, name, phone_number, intent, options)
    }

    fn add_otp(
        &self,
        kind: AuthMethodType,
        name: &str,
        contact: &str,
        intent: Intent,
        options: &CallOptions,
    ) -> Work<OtpSignIn> {
        begun(|| {
            validate::text(name, MAX_CONTACT_BYTES, contact)?;
            let added = self.add(kind, None, intent, options)?;
            let (contact, options) = (contact.to_owned(), options.clone());
            let core = self.inner.core.clone();
            Ok(Box::pin(async move {
                let method = added.await?;
                if method.nickname != contact {
                    return Err(Error::relay_protocol(
                        "the created credential is of another address than was asked for",
                    ));
                }
                OtpSignIn::of_new(&core, method, &options).await
            }))
        })
    }

    fn add(
        &self,
        kind: AuthMethodType,
        token: Option<&str>,
        intent: Intent,
        options: &CallOptions,
    ) -> Result<Work<AuthMethod>> {
        let info = self.inner.active_info()?;
        let mut request = Request::new(Operation::CreateAuthCredential)
            .with_texts(&[("type", kind.as_str()), ("accountId", &info.account_id)]);
        if let Some(token) = token {
            request = request.with_member("oidcToken", token.into());
        }
        let signed = self
            .inner
            .signed(request, DoneAtOnce::Refused, known(intent, None), options);
        Ok(then(signed, move |accepted| {
            let method = AuthMethod::read(&accepted.body);
            if method.kind != kind || method.account_id != info.account_id {
                return Err(Error::relay_protocol(
                    "the created credential is not the one that was asked for",
                ));
            }
            accepted.remember();
            Ok(method)
        }))
    }

    /// Removes a credential of this account. This session must be of another one. One that is not
    /// there any more counts as removed.
    ///
    /// What Grid has signed for an e-mail or SMS credential is not documented: without a `purpose`
    /// that states it, that is refused.
    pub fn revoke_auth_method(
        &self,
        id: &str,
        purpose: Option<Purpose>,
        options: &CallOptions,
    ) -> Work<()> {
        let of_kind: Purpose = Rc::new(|challenge| {
            let intent = match challenge.kind {
                Some(AuthMethodType::Passkey) => Ok(Intent::RevokePasskey),
                Some(AuthMethodType::Oauth) => Ok(Intent::RevokeOauth),
                Some(AuthMethodType::EmailOtp | AuthMethodType::SmsOtp) | None => Err(Error::new(
                    ErrorCode::IntentRefused,
                    "Grid does not document what is signed to remove an e-mail or SMS \
                     credential; state it by `intent` after reading it; nothing was signed",
                )
                .with_reason("undocumented")),
            };
            let stated = intent.map(Stated::from);
            Box::pin(async move { stated })
        });
        let request = Request::on(Operation::RevokeAuthCredential, id);
        let purpose = purpose.unwrap_or(of_kind);
        gone(
            self.inner
                .signed(request, DoneAtOnce::Refused, purpose, options),
        )
    }

    /// Changes the customer's e-mail address, and the credential tied to it.
    pub fn update_email(
        &self,
        customer: impl Into<Customer>,
        email: &str,
        options: &CallOptions,
    ) -> Work<()> {
        let intent = Intent::SetEmail {
            email: email.to_owned(),
        };
        self.update_customer(customer.into(), "email", email, intent, options)
    }

    /// Changes the customer's phone number, E.164, and the credential tied to it.
    pub fn update_phone_number(
        &self,
        customer: impl Into<Customer>,
        phone_number: &str,
        options: &CallOptions,
    ) -> Work<()> {
        let intent = Intent::SetPhone {
            phone_number: phone_number.to_owned(),
        };
        self.update_customer(
            customer.into(),
            "phoneNumber",
            phone_number,
            intent,
            options,
        )
    }

    /// Where no credential is tied to it, it is changed without a signature.
    fn update_customer(
        &self,
        customer: Customer,
        name: &'static str,
        contact: &str,
        intent: Intent,
        options: &CallOptions,
    ) -> Work<()> {
        begun(|| {
            validate::text(name, MAX_CONTACT_BYTES, contact)?;
            let kind = match customer.is_business {
                true => "BUSINESS",
                false => "INDIVIDUAL",
            };
            let request = Request::on(Operation::UpdateCustomerById, &customer.id)
                .with_texts(&[("customerType", kind), (name, contact)]);
            let signed =
                self.inner
                    .signed(request, DoneAtOnce::Accepted, known(intent, None), options);
            let contact = contact.to_owned();
            Ok(then(signed, move |accepted| {
                // Not every answer repeats them, but none says otherwise.
                let is_other = |name: &str, expected: &str| {
                    let said = accepted.body.get(name).and_then(Json::as_str);
                    said.is_some_and(|said| said != expected)
                };
                if is_other(name, &contact) || is_other("id", &customer.id) {
                    return Err(Error::relay_protocol(
                        "another customer or address was answered than was asked for",
                    ));
                }
                accepted.remember();
                Ok(())
            }))
        })
    }

    /// Switches the wallet's privacy. Signed blind: the payload is a hash, which may be any.
    pub fn update_privacy(&self, enabled: bool, options: &CallOptions) -> Work<Json> {
        begun(|| {
            let info = self.inner.active_info()?;
            let request = Request::on(Operation::UpdateInternalAccount, &info.account_id)
                .with_member("privateEnabled", enabled.into());
            let intent = Intent::UpdatePrivacy { sign_with: None };
            let signed =
                self.inner
                    .signed(request, DoneAtOnce::Refused, known(intent, None), options);
            Ok(then(signed, move |accepted| {
                check_account(&accepted.body, &info.account_id)?;
                let said = accepted.body.get("privateEnabled").and_then(Json::as_bool);
                if said.is_some_and(|said| said != enabled) {
                    return Err(Error::relay_protocol(
                        "the wallet's privacy was answered to be otherwise than was asked for",
                    ));
                }
                Ok(accepted.remember())
            }))
        })
    }

    /// The wallet's mnemonic, as UTF-8.
    ///
    /// The organization must have been named by the caller or the platform, now or before: nobody
    /// else can tell whose wallet an export is of.
    pub fn export_mnemonic(
        &self,
        organization_id: Option<String>,
        options: &CallOptions,
    ) -> Work<Zeroizing<Vec<u8>>> {
        begun(|| self.begin_export(organization_id, options))
    }

    fn begin_export(
        &self,
        organization_id: Option<String>,
        options: &CallOptions,
    ) -> Result<Work<Zeroizing<Vec<u8>>>> {
        let core = self.inner.core.clone();
        let info = self.inner.active_info()?;
        let account_id = &info.account_id;
        let wallet = core.wallets.known(account_id);
        let organization_id = organization_id
            .or(wallet.organization_id.filter(|_| wallet.is_confirmed))
            .ok_or_else(|| {
                Error::invalid_argument(
                    "A first wallet export needs the account's `organizationId`, here or in the \
                     client's `organizations`: without it, another wallet could be handed out.",
                )
            })?;
        let key = WalletExportKey::generate(&*core.random)?;
        let client_public_key = key.public_key().to_uncompressed_hex();
        let request = Request::on(Operation::ExportInternalAccount, account_id)
            .with_texts(&[("clientPublicKey", &client_public_key)]);
        let intent = Intent::ExportWallet {
            client_public_key,
            wallet_id: None,
        };
        let purpose = known(intent, Some(organization_id.clone()));
        let signed = self
            .inner
            .signed(request, DoneAtOnce::Refused, purpose, options);
        Ok(then(signed, move |accepted| {
            let account_id = &info.account_id;
            check_account(&accepted.body, account_id)?;
            let sealed = accepted
                .body
                .get("encryptedWalletCredentials")
                .and_then(Json::as_str);
            let mnemonic = key.open(
                sealed.unwrap_or_default(),
                &organization_id,
                &core.enclave.export,
            )?;
            core.wallets.confirm(account_id, &organization_id);
            accepted.remember();
            Ok(mnemonic)
        }))
    }

    /// Pays: executes a quote, which is an object as Grid answers it. Signed blind: the payload
    /// shows neither amount nor payee.
    pub fn execute_quote(
        &self,
        quote: &Json,
        execute: ExecuteOptions,
        options: &CallOptions,
    ) -> Work<Json> {
        begun(|| self.begin_payment(quote, execute, options))
    }

    fn begin_payment(
        &self,
        quote: &Json,
        execute: ExecuteOptions,
        options: &CallOptions,
    ) -> Result<Work<Json>> {
        let core = self.inner.core.clone();
        let info = self.inner.active_info()?;
        check_given("quote", &QUOTE, quote)?;
        let text = |name: &str| quote.get(name).and_then(Json::as_str).unwrap_or_default();
        let quote_id = text("id").to_owned();
        let source = quote
            .get("source")
            .and_then(|source| source.get("accountId"));
        if source.and_then(Json::as_str) != Some(&*info.account_id) {
            return Err(Error::invalid_argument(
                "`quote` is not paid from this session's account.",
            ));
        }
        let expires_at_ms = parse_rfc3339_ms(text("expiresAt"))?;
        core.api.time().check()?;
        if core.api.time().now_ms() >= expires_at_ms {
            return Err(Error::new(
                ErrorCode::ChallengeExpired,
                "the quote has run out: create another one",
            ));
        }
        let payload = payload_of_quote(quote)?;
        let stated = Stated {
            intent: Intent::ExecuteQuote {
                sign_with: execute.sign_with,
            },
            organization_id: None,
            expires_at_ms: Some(expires_at_ms),
        };
        let key = self.inner.key_source();
        let stamped = check_and_stamp(&core, &info.account_id, key, payload, stated);
        let options = options.clone();
        Ok(Box::pin(async move {
            let stamped = stamped.await?;
            check_not_aborted(&options)?;
            let idempotency_key = match execute.idempotency_key {
                Some(key) => key,
                None => {
                    let mut bytes = [0; 16];
                    core.random.fill(&mut bytes)?;
                    hex::encode(&bytes)
                }
            };
            let mut request =
                Request::on(Operation::ExecuteQuote, &quote_id).with_headers(SignedHeaders {
                    stamp: Some(stamped.stamp.clone()),
                    request_id: None,
                    idempotency_key: Some(idempotency_key),
                });
            if let Some(factor) = execute.sca_factor {
                request = request.with_texts(&[("scaFactor", &factor)]);
            }
            let answer = core
                .call(request, &options)
                .await
                .map_err(outcome_unknown)?;
            if answer.body.get("id").and_then(Json::as_str) != Some(&*quote_id) {
                return Err(
                    Error::relay_protocol("another quote was answered than was executed")
                        .with_reason("outcome_unknown"),
                );
            }
            stamped.remember(&core, &info.account_id);
            Ok(answer.body)
        }))
    }

    /// Lets Grid sign a card's payments from this account without the customer. What is signed for
    /// it is not documented: `purpose` reads it, twice, and says what it must be.
    pub fn create_delegated_key(
        &self,
        card_id: &str,
        nickname: &str,
        purpose: Purpose,
        options: &CallOptions,
    ) -> Work<Json> {
        begun(|| {
            let info = self.inner.active_info()?;
            let request = Request::new(Operation::CreateDelegatedKey).with_texts(&[
                ("cardId", card_id),
                ("internalAccountId", &info.account_id),
                ("nickname", nickname),
            ]);
            let signed = self
                .inner
                .signed(request, DoneAtOnce::Refused, purpose, options);
            let card_id = card_id.to_owned();
            Ok(then(signed, move |accepted| {
                let of = |name: &str| accepted.body.get(name).and_then(Json::as_str);
                if of("accountId") != Some(&*info.account_id) || of("cardId") != Some(&*card_id) {
                    return Err(Error::relay_protocol(
                        "the delegated key is of another account or card than was asked for",
                    ));
                }
                Ok(accepted.remember())
            }))
        })
    }

    /// A signed request that this package does not know: what Grid adds next. Gives the body of
    /// the answer.
    pub fn signed_request(
        &self,
        route: Route,
        body: Option<Json>,
        purpose: Purpose,
        options: &CallOptions,
    ) -> Work<Json> {
        begun(|| {
            let request = Request::to(route, body)?;
            let signed = self
                .inner
                .signed(request, DoneAtOnce::Refused, purpose, options);
            Ok(then(signed, |accepted| Ok(accepted.remember())))
        })
    }
}

/// Refuses an answer that is of another account.
fn check_account(answer: &Json, account_id: &str) -> Result<()> {
    if answer.get("id").and_then(Json::as_str) == Some(account_id) {
        Ok(())
    } else {
        Err(Error::relay_protocol(
            "the answer is of another account than was asked for",
        ))
    }
}

/// The one payload in a quote's payment instructions.
fn payload_of_quote(quote: &Json) -> Result<&str> {
    let instructions = quote.get("paymentInstructions").and_then(Json::as_array);
    let mut payloads = instructions
        .unwrap_or_default()
        .iter()
        .filter_map(|instruction| instruction.get("accountOrWalletInfo"))
        .filter(|wallet| {
            wallet.get("accountType").and_then(Json::as_str) == Some("EMBEDDED_WALLET")
        })
        .filter_map(|wallet| wallet.get("payloadToSign")?.as_str());
    match (payloads.next(), payloads.next()) {
        (Some(payload), None) => Ok(payload),
        _ => Err(Error::invalid_argument(
            "`quote` has not exactly one `payloadToSign` of an embedded wallet: only a quote whose \
             source is the wallet is executed with its signature.",
        )),
    }
}
