//! What a passkey's answer says it is about, against `serde_json` and `base64`.

#![no_main]

use arbitrary::{Result, Unstructured};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    ErrorCode,
    crypto::json::Json,
    formats::passkey::{
        Ceremony, PasskeyAttestation, challenge_bytes, check_client_data, client_data_challenge,
    },
};
use gridkey_fuzz::{mutate, split, strict};
use libfuzzer_sys::fuzz_target;

const MAX_BYTES: usize = 16 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some((is_text, rest)) = split(data) else {
        return;
    };
    if is_text {
        // Client data, and what it itself has as its challenge.
        let encoded = BASE64.encode(rest);
        let challenge = expected(&encoded).map(|(_, challenge)| challenge);
        compare(&encoded, &challenge.unwrap_or_default());
    } else {
        made(&mut Unstructured::new(rest)).ok();
    }
});

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let mut text: String = u
        .arbitrary::<[u8; 32]>()?
        .map(|byte| format!("{byte:02x}"))
        .concat();
    if u.ratio(1_u8, 2_u8)? {
        mutate::text(u, &mut text)?;
    }
    compare_challenge(&text);

    let challenge = text.as_bytes();
    let kind = u.choose(&["webauthn.get", "webauthn.create", "payment.get"])?;
    let mut client_data = Json::object([
        ("type", (*kind).into()),
        ("challenge", BASE64.encode(challenge).into()),
        ("origin", "https://wallet.example".into()),
        ("crossOrigin", false.into()),
    ]);
    if u.ratio(1_u8, 2_u8)? {
        mutate::json(u, &mut client_data)?;
    }
    let mut encoded = BASE64.encode(mutate::written(u, &client_data)?);
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut encoded)?;
    }
    compare(&encoded, challenge);

    let transports: Vec<&str> = u.arbitrary()?;
    let known = PasskeyAttestation::known_transports(transports.into_iter());
    let all = ["usb", "nfc", "ble", "internal", "hybrid"];
    assert!(known.len() <= all.len());
    assert!(known.iter().all(|name| all.contains(&name.as_str())));
    Ok(())
}

fn compare_challenge(text: &str) {
    let found = challenge_bytes(text);
    let is_digest =
        text.chars().count() == 64 && text.chars().all(|digit| "0123456789abcdef".contains(digit));
    match found {
        Ok(found) => assert!(is_digest && found == text.as_bytes()),
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(!is_digest);
        }
    }
}

fn compare(encoded: &str, challenge: &[u8]) {
    let expected = expected(encoded);
    let found = client_data_challenge(encoded);
    assert_eq!(
        found.as_ref().ok(),
        expected.as_ref().map(|(_, challenge)| challenge)
    );
    for (ceremony, kind) in [
        (Ceremony::Get, "webauthn.get"),
        (Ceremony::Create, "webauthn.create"),
    ] {
        let is_right = expected
            .as_ref()
            .is_some_and(|said| (said.0.as_deref(), said.1.as_slice()) == (Some(kind), challenge));
        match check_client_data(encoded, ceremony, challenge) {
            Ok(()) => assert!(is_right),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::PasskeyRejected);
                assert!(!is_right && !error.message().contains(mutate::CANARY));
            }
        }
    }
}

/// The client data's type and challenge.
fn expected(encoded: &str) -> Option<(Option<String>, Vec<u8>)> {
    let bytes = BASE64.decode(encoded).ok()?;
    let json = strict::read(std::str::from_utf8(&bytes).ok()?, MAX_BYTES, 16)?;
    let challenge = BASE64.decode(strict::text(&json, "challenge")?).ok()?;
    let kind = strict::text(&json, "type").map(str::to_owned);
    Some((kind, challenge))
}
