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
    "requestPasskey": |_, arguments| passkey::request(arguments),
    "createPasskey": |_, arguments| passkey::create(arguments),
    "checkIntent": |_, arguments| keys::check_intent(arguments),
    "passkeyChallengeBytes": |_, arguments| passkey::challenge(arguments),
    "oauthNonce": |_, arguments| keys::oauth_nonce(arguments),
    "GridkeyClient.create": |_, arguments| object(Object::Client(client::create(arguments)?)),
    "SessionKey.generate": |_, _| keys::session_key(SessionKey::generate(&SystemRandom)?),
    "SessionKey.dangerouslyFromPrivateKey": |_, arguments| {
        keys::session_key(SessionKey::from_private_key(&arguments.private_key())?)
    },
    "SealedKeyReceiver.generate": |_, _| {
        keys::receiver(SealedKeyReceiver::generate(&SystemRandom)?)
    },
    "SealedKeyReceiver.dangerouslyFromPrivateKey": |_, arguments| {
        keys::receiver(SealedKeyReceiver::from_private_key(&arguments.private_key())?)
    },
    "WalletExportKey.generate": |_, _| {
        keys::export_key(WalletExportKey::generate(&SystemRandom)?)
    },
    "WalletExportKey.dangerouslyFromPrivateKey": |_, arguments| {
        keys::export_key(WalletExportKey::from_private_key(&arguments.private_key())?)
    },
}
