//! Small texts: times against `time`, base64url against `base64`, hexadecimal by hand, paths against
//! `url`, names, ids, headers and codes by their descriptions.

#![no_main]

use arbitrary::{Result, Unstructured};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gridkey::{
    ErrorCode,
    api::{
        request::Route,
        validate::{IdKind, header, is_id},
    },
    crypto::{
        base64url, hex,
        json::{Json, Limits},
    },
    formats::{
        intent::Intent, nickname::passkey_nickname, oauth::nonce, otp::OtpCode,
        timestamp::parse_rfc3339_ms,
    },
};
use gridkey_fuzz::{edge, mutate, oracle, unhex};
use libfuzzer_sys::fuzz_target;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let mut u = Unstructured::new(rest);
    match which {
        b'a' => made_time(&mut u).ok(),
        b'b' => made_base64(&mut u).ok(),
        b'c' => made_key(&mut u).ok(),
        b'd' => made_path(&mut u).ok(),
        _ => std::str::from_utf8(rest).ok().map(|text| match which {
            b't' => time(text),
            b'6' => base64(text),
            b'h' => hexadecimal(text),
            b'p' => path(text),
            b'n' => name(text),
            b'i' => intent(text),
            _ => small(text),
        }),
    };
});

fn made_time(u: &mut Unstructured<'_>) -> Result<()> {
    let fraction = "0123456789"
        .get(..u.int_in_range(0..=10)?)
        .filter(|digits| !digits.is_empty());
    let mut text = format!(
        "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}",
        u.int_in_range(0..=9999)?,
        u.int_in_range(0..=13)?,
        u.int_in_range(0..=32)?,
        u.choose(&['T', 't', ' ', '_'])?,
        u.int_in_range(0..=25)?,
        u.int_in_range(0..=61)?,
        u.int_in_range(0..=61)?,
        fraction
            .map(|digits| format!(".{digits}"))
            .unwrap_or_default(),
    );
    text += &match u.int_in_range(0..=3)? {
        0 => "Z".to_owned(),
        1 => "z".to_owned(),
        _ => format!(
            "{}{:02}:{:02}",
            u.choose(&['+', '-'])?,
            u.int_in_range(0..=24)?,
            u.int_in_range(0..=60)?
        ),
    };
    if u.ratio(1_u8, 4_u8)? {
        mutate::text(u, &mut text)?;
    }
    time(&text);
    Ok(())
}

fn time(text: &str) {
    let found = parse_rfc3339_ms(text);
    // What `time` takes beyond: leap seconds, the year 0, other separators, any number of digits.
    let bytes = text.as_bytes();
    let is_ours = text.len() <= 35
        && !text.starts_with("0000")
        && matches!(bytes.get(10), Some(b'T' | b't'))
        && bytes.get(17..19) != Some(b"60");
    let expected = OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .filter(|_| is_ours)
        .map(|time| time.unix_timestamp_nanos().div_euclid(1_000_000));
    assert_eq!(
        found.as_ref().ok().map(|ms| i128::from(*ms)),
        expected,
        "{text:?}"
    );
    if let Err(error) = found {
        assert_eq!(error.code(), ErrorCode::RelayProtocol);
    }
}

fn made_base64(u: &mut Unstructured<'_>) -> Result<()> {
    let bytes = mutate::some(u, 60)?;
    let mut text = BASE64.encode(bytes);
    assert_eq!(base64url::encode(bytes), text);
    assert_eq!(hex::encode(bytes), gridkey_fuzz::hex(bytes));
    mutate::text(u, &mut text)?;
    base64(&text);
    Ok(())
}

fn base64(text: &str) {
    const MAX_BYTES: usize = 100;
    let found = base64url::decode(text, MAX_BYTES).ok();
    // A length is seen before what is in it.
    let fits = text.len() <= (MAX_BYTES * 4).div_ceil(3);
    assert_eq!(found, BASE64.decode(text).ok().filter(|_| fits), "{text:?}");
}

fn hexadecimal(text: &str) {
    let expected = unhex(text).filter(|bytes| bytes.len() <= 65);
    assert_eq!(hex::decode(text, 65).ok(), expected, "{text:?}");
}

fn made_key(u: &mut Unstructured<'_>) -> Result<()> {
    let point = oracle::public(&edge::scalar(u)?).unwrap();
    let compressed = [&[2 | point[64] & 1], &point[1..33]].concat();
    let mut text = match u.arbitrary()? {
        true => gridkey_fuzz::hex(&point),
        false => gridkey_fuzz::hex(&compressed),
    };
    mutate::text(u, &mut text)?;
    let is_key = unhex(&text).and_then(|sec1| oracle::point(&sec1)).is_some();
    assert_eq!(nonce(&text).is_ok(), is_key, "{text:?}");
    Ok(())
}

fn made_path(u: &mut Unstructured<'_>) -> Result<()> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(1..=6)? {
        text += u.choose(&[
            "/",
            "//",
            "..",
            ".",
            "%2e",
            "%2E",
            "%2f",
            "\\",
            "%5c",
            "a",
            "?",
            "#",
            "%",
            ":",
            "@",
            "Session%3A0195",
            "\u{e9}",
            "\t",
        ])?;
    }
    path(&text);
    path(&format!("/{text}"));
    Ok(())
}

/// Wherever a browser goes with a path that is taken, it is below the relay, and nowhere else.
fn path(text: &str) {
    let Ok(route) = Route::new("POST", text.to_owned()) else {
        return;
    };
    assert_eq!(route.path, text);
    let base = "https://wallet.example/api/grid";
    let url = Url::parse(&format!("{base}{text}")).unwrap();
    assert_eq!(url.origin(), Url::parse(base).unwrap().origin());
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let below = url.path().strip_prefix("/api/grid/").unwrap();
    let way = text.split('?').next().unwrap();
    // As it was written: nothing was resolved, nothing encoded.
    assert_eq!(format!("/{below}"), way);
    // Nor is it elsewhere for a server that decodes it once.
    let segments: Vec<&str> = below.split('/').collect();
    for segment in segments {
        let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
        assert!(!matches!(decoded.as_str(), "" | "." | ".."), "{text:?}");
        assert!(
            !decoded.contains("%2f") && !decoded.contains("%5c"),
            "{text:?}"
        );
    }
}

fn name(text: &str) {
    let trimmed = text.trim();
    let is_name = (1..=100).contains(&trimmed.chars().count())
        && trimmed
            .chars()
            .all(|character| character.is_alphanumeric() || " ._-'()".contains(character));
    match passkey_nickname(text) {
        Ok(name) => assert!(is_name && name == trimmed),
        Err(error) => assert!(!is_name && error.code() == ErrorCode::InvalidArgument),
    }
}

/// An intent as a page states it: whatever it is, it is taken or refused.
fn intent(text: &str) {
    let limits = Limits {
        bytes: 4096,
        depth: 8,
    };
    let Ok(json) = Json::parse(text, limits) else {
        return;
    };
    match Intent::from_json(&json) {
        Ok(stated) => {
            let kind = json.get("kind").and_then(Json::as_str);
            assert_eq!(Some(stated.intent.kind()), kind);
            if matches!(kind, Some("executeQuote" | "updatePrivacy")) {
                assert_eq!(json.get("allowBlindSigning"), Some(&Json::Bool(true)));
            }
            let organization_id = json.get("organizationId").and_then(Json::as_str);
            assert_eq!(stated.organization_id.as_deref(), organization_id);
        }
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidArgument),
    }
}

fn small(text: &str) {
    let is_code = (1..=16).contains(&text.len())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric());
    assert_eq!(OtpCode::new(text.as_bytes()).is_ok(), is_code);

    let is_header =
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| (33..127).contains(&byte));
    assert_eq!(header("stamp", 20, text).is_ok(), is_header);

    let is_plain = text.len() <= 256
        && text.chars().any(|c| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ":-_.".contains(c));
    if is_id(IdKind::Session, text) {
        assert!(is_plain && !text.starts_with("AuthMethod:"));
    } else if is_plain {
        assert!(text.contains(':'));
    }
}
