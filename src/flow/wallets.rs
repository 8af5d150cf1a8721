//! What is remembered of each account's wallet, so that a payload for another one is noticed.
//!
//! Nothing of it is secret. What was first seen is believed, and protects from then on, as long as
//! the notes last; a first wallet export needs more than that.

use alloc::{borrow::ToOwned as _, rc::Rc, string::String, vec, vec::Vec};

use crate::{
    crypto::json::{Json, Limits},
    error::joined,
    formats::intent::{Checked, Intent},
    ports::Notes,
};

const LIMITS: Limits = Limits {
    bytes: 4096,
    depth: 2,
};
const MAX_ID_BYTES: usize = 256;

/// The accounts' organizations and wallets.
pub struct Wallets {
    notes: Rc<dyn Notes>,
    /// Account and organization, as the platform knows them.
    given: Vec<(String, String)>,
}

/// What is known of one account.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The organization at Turnkey.
    pub organization_id: Option<String>,
    /// Whether the platform or the caller named it, rather than a payload.
    pub is_confirmed: bool,
    notes: Option<Json>,
}

impl Known {
    /// Whose key Turnkey uses for an intent of this kind.
    fn wallet(&self, kind: &str) -> Option<String> {
        id(self.notes.as_ref()?, kind)
    }

    /// The intent, bound to the wallet that was seen before.
    pub fn bind(&self, intent: &mut Intent) {
        let kind = intent.kind();
        match intent {
            Intent::ExecuteQuote { sign_with: wallet }
            | Intent::UpdatePrivacy { sign_with: wallet }
            | Intent::ExportWallet {
                wallet_id: wallet, ..
            } if wallet.is_none() => *wallet = self.wallet(kind),
            _ => {}
        }
    }
}

impl Wallets {
    pub fn new(notes: Rc<dyn Notes>, given: Vec<(String, String)>) -> Self {
        Self { notes, given }
    }

    /// What is known of an account.
    pub fn known(&self, account_id: &str) -> Known {
        let notes = self.notes.get(&note_name(account_id));
        // Any script of this origin can write there.
        let notes = notes.and_then(|text| Json::parse(&text, LIMITS).ok());
        let given = self.given.iter().find(|(account, _)| account == account_id);
        // What was noted of another organization is of no use.
        let notes = notes.filter(|notes| {
            given.is_none_or(|(_, given)| id(notes, "organizationId").as_ref() == Some(given))
        });
        let noted = notes.as_ref();
        Known {
            organization_id: match given {
                Some((_, organization_id)) => Some(organization_id.clone()),
                None => noted.and_then(|notes| id(notes, "organizationId")),
            },
            is_confirmed: given.is_some()
                || noted.and_then(|notes| notes.get("isConfirmed")?.as_bool()) == Some(true),
            notes,
        }
    }

    /// Remembers what Grid has accepted. What is known already stays: an answer may come late.
    pub fn remember(&self, account_id: &str, kind: &str, checked: &Checked) {
        let known = self.known(account_id);
        match &checked.organization_id {
            Some(organization_id)
                if known.organization_id.as_ref().unwrap_or(organization_id) == organization_id =>
            {
                self.note(
                    &known,
                    account_id,
                    organization_id,
                    known.is_confirmed,
                    |noted| checked.wallet.clone().filter(|_| noted == kind),
                );
            }
            Some(_) | None => {}
        }
    }

    /// Remembers an organization that the caller named, after it has proved right. What was noted
    /// of another one goes.
    pub fn confirm(&self, account_id: &str, organization_id: &str) {
        let mut known = self.known(account_id);
        if known.organization_id.as_deref() != Some(organization_id) {
            known.notes = None;
        }
        self.note(&known, account_id, organization_id, true, |_| None);
    }

    fn note(
        &self,
        known: &Known,
        account_id: &str,
        organization_id: &str,
        is_confirmed: bool,
        seen: impl Fn(&str) -> Option<String>,
    ) {
        let mut members = vec![
            ("organizationId".to_owned(), Json::from(organization_id)),
            ("isConfirmed".to_owned(), Json::from(is_confirmed)),
        ];
        for noted in ["executeQuote", "exportWallet", "updatePrivacy"] {
            if let Some(wallet) = known.wallet(noted).or_else(|| seen(noted)) {
                members.push((noted.to_owned(), wallet.into()));
            }
        }
        let text = Json::Object(members).to_text();
        self.notes.set(&note_name(account_id), Some(&text));
    }

    /// Forgets an account: the next payload is believed again.
    pub fn forget(&self, account_id: &str) {
        self.notes.set(&note_name(account_id), None);
    }
}

fn note_name(account_id: &str) -> String {
    joined(&["wallet:", account_id])
}

fn id(json: &Json, name: &str) -> Option<String> {
    let text = json.get(name)?.as_str()?;
    (1..=MAX_ID_BYTES)
        .contains(&text.len())
        .then(|| text.to_owned())
}
