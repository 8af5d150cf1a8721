//! Functions, and static methods: what is called without an object.

use super::{
    bridge::{Object, methods, object},
    client, keys, passkey,
};
use crate::{
    crypto::random::SystemRandom,
    formats::{
        sealed_key::SealedKeyReceiver, session_key::SessionKey, wallet_export::WalletExportKey,
    },
};

methods! { (),
    "requestPasskey": |(), arguments| passkey::request(arguments),
    "createPasskey": |(), arguments| passkey::create(arguments),
    "checkIntent": |(), arguments| keys::check_intent(arguments),
    "passkeyChallengeBytes": |(), arguments| passkey::challenge(arguments),
    "oauthNonce": |(), arguments| keys::oauth_nonce(arguments),
    "GridkeyClient.create": |(), arguments| object(Object::Client(client::create(arguments)?)),
    "SessionKey.generate": |(), _| keys::session_key(SessionKey::generate(&SystemRandom)?),
    "SessionKey.dangerouslyFromPrivateKey": |(), arguments| {
        keys::session_key(SessionKey::from_private_key(&arguments.private_key())?)
    },
    "SealedKeyReceiver.generate": |(), _| {
        keys::receiver(SealedKeyReceiver::generate(&SystemRandom)?)
    },
    "SealedKeyReceiver.dangerouslyFromPrivateKey": |(), arguments| {
        keys::receiver(SealedKeyReceiver::from_private_key(&arguments.private_key())?)
    },
    "WalletExportKey.generate": |(), _| {
        keys::export_key(WalletExportKey::generate(&SystemRandom)?)
    },
    "WalletExportKey.dangerouslyFromPrivateKey": |(), arguments| {
        keys::export_key(WalletExportKey::from_private_key(&arguments.private_key())?)
    },
}
