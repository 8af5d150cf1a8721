//! `payloadToSign`: Turnkey activities, compact. Members are sorted by name, but in a quote's payload
//! they stand as in the API's example.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    clock::Millis,
    delegated_keys::DelegatedKey,
    oidc::provider_name,
    otp::Channel,
    state::{Account, Credential, CredentialKind},
    webauthn::Attestation,
};

fn activity(account: &Account, kind: &str, parameters: Value, now: Millis) -> String {
    json!({
        "organizationId": account.organization_id,
        "parameters": parameters,
        "timestampMs": now.to_string(),
        "type": kind,
    })
    .to_string()
}

/// Makes a session whose key is, or is sealed to, `client_public_key`.
pub(crate) fn create_session(account: &Account, client_public_key: &str, now: Millis) -> String {
    let parameters = json!({ "targetPublicKey": client_public_key });
    activity(
        account,
        "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2",
        parameters,
        now,
    )
}

pub(crate) fn revoke_session(account: &Account, api_key_id: &str, now: Millis) -> String {
    let parameters = json!({ "apiKeyIds": [api_key_id], "userId": account.user_id });
    activity(account, "ACTIVITY_TYPE_DELETE_API_KEYS", parameters, now)
}

/// Makes `contact` the address or number to which codes are sent.
pub(crate) fn set_contact(
    account: &Account,
    channel: Channel,
    contact: &str,
    now: Millis,
) -> String {
    let (kind, name) = match channel {
        Channel::Email => ("ACTIVITY_TYPE_UPDATE_USER_EMAIL", "userEmail"),
        Channel::Sms => ("ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER", "userPhoneNumber"),
    };
    let parameters = json!({ name: contact, "userId": account.user_id });
    activity(account, kind, parameters, now)
}

/// Takes a credential away. Grid documents the activity of passkeys only; that of providers follows
/// Turnkey's, those of codes are guesses.
pub(crate) fn revoke_credential(account: &Account, credential: &Credential, now: Millis) -> String {
    let (id, user_id) = (&credential.turnkey_id, &account.user_id);
    let (kind, parameters) = match &credential.kind {
        CredentialKind::Passkey { .. } => (
            "ACTIVITY_TYPE_DELETE_AUTHENTICATORS",
            json!({ "authenticatorIds": [id], "userId": user_id }),
        ),
        CredentialKind::OAuth { .. } => (
            "ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS",
            json!({ "providerIds": [id], "userId": user_id }),
        ),
        CredentialKind::Otp { channel, .. } => (
            match channel {
                Channel::Email => "ACTIVITY_TYPE_DELETE_USER_EMAIL",
                Channel::Sms => "ACTIVITY_TYPE_DELETE_USER_PHONE_NUMBER",
            },
            json!({ "userId": user_id }),
        ),
    };
    activity(account, kind, parameters, now)
}

pub(crate) fn add_oauth(account: &Account, iss: &str, oidc_token: &str, now: Millis) -> String {
    let parameters = json!({
        "oauthProviders": [{ "oidcToken": oidc_token, "providerName": provider_name(iss) }],
        "userId": account.user_id,
    });
    activity(
        account,
        "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS",
        parameters,
        now,
    )
}

pub(crate) fn add_passkey(
    account: &Account,
    nickname: &str,
    challenge: &str,
    attestation: &Attestation,
    now: Millis,
) -> String {
    let parameters = json!({
        "authenticators": [{
            "attestation": {
                "attestationObject": attestation.attestation_object,
                "clientDataJson": attestation.client_data_json,
                "credentialId": attestation.credential_id,
            },
            "authenticatorName": nickname,
            "challenge": challenge,
            "transports": attestation.transports,
        }],
        "userId": account.user_id,
    });
    activity(
        account,
        "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2",
        parameters,
        now,
    )
}

pub(crate) fn export_wallet(account: &Account, client_public_key: &str, now: Millis) -> String {
    let parameters = json!({ "targetPublicKey": client_public_key, "walletId": account.wallet_id });
    activity(account, "ACTIVITY_TYPE_EXPORT_WALLET", parameters, now)
}

/// Signs a setting of the wallet by its key on Spark. What the setting is stands in no readable
/// form in it: the payload is a hash.
pub(crate) fn set_privacy(account: &Account, is_private: bool, now: Millis) -> String {
    let setting = format!("{} {is_private} {now}", account.id);
    let parameters = json!({
        "encoding": "PAYLOAD_ENCODING_HEXADECIMAL",
        "hashFunction": "HASH_FUNCTION_NO_OP",
        "payload": hex::encode(Sha256::digest(setting)),
        "signWith": account.spark_address,
    });
    activity(
        account,
        "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2",
        parameters,
        now,
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignTransaction<'a> {
    r#type: &'a str,
    timestamp_ms: String,
    organization_id: &'a str,
    parameters: Transaction<'a>,
    generate_app_proofs: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction<'a> {
    sign_with: &'a str,
    unsigned_transaction: String,
    r#type: &'a str,
}

/// Pays what a quote says. What is paid to whom stands in no readable form in it: the transaction is
/// a hash.
pub(crate) fn sign_transaction(account: &Account, quote_id: &str, now: Millis) -> String {
    let activity = SignTransaction {
        r#type: "ACTIVITY_TYPE_SIGN_TRANSACTION_V2",
        timestamp_ms: now.to_string(),
        organization_id: &account.organization_id,
        parameters: Transaction {
            sign_with: &account.wallet_id,
            unsigned_transaction: hex::encode(Sha256::digest(quote_id)),
            r#type: "TRANSACTION_TYPE_ETHEREUM",
        },
        generate_app_proofs: true,
    };
    // Texts and a flag are always JSON.
    serde_json::to_string(&activity).unwrap_or_default()
}

/// Creates the signer of a delegated key. Grid does not document this activity; its shape is
/// Turnkey's.
pub(crate) fn create_signer(account: &Account, key: &DelegatedKey, now: Millis) -> String {
    let parameters = json!({
        "users": [{
            "apiKeys": [{
                "apiKeyName": key.nickname,
                "curveType": "API_KEY_CURVE_P256",
                "publicKey": key.public_key,
            }],
            "authenticators": [],
            "oauthProviders": [],
            "userName": key.nickname,
            "userTags": [],
        }],
    });
    activity(account, "ACTIVITY_TYPE_CREATE_USERS_V3", parameters, now)
}

/// Lets a delegated key's signer sign, and remove itself. Grid does not document this activity; its
/// shape is Turnkey's.
pub(crate) fn grant_signing(account: &Account, key: &DelegatedKey, now: Millis) -> String {
    let policy = |name: &str, activity: &str| {
        json!({
            "condition": format!("activity.type == '{activity}'"),
            "consensus": format!("approvers.any(user, user.id == '{}')", key.user_id),
            "effect": "EFFECT_ALLOW",
            "notes": "",
            "policyName": format!("{} {name}", key.nickname),
        })
    };
    let parameters = json!({
        "policies": [
            policy("signs", "ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2"),
            policy("removes itself", "ACTIVITY_TYPE_DELETE_USERS"),
        ],
    });
    activity(account, "ACTIVITY_TYPE_CREATE_POLICIES", parameters, now)
}
