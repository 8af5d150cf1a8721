//! Hostile payloads: what a relay that was taken over might ask a key to sign.
//!
//! Three kinds: what is derived from the table of what is allowed, so that a new row is covered as
//! soon as it stands there; attacks that somebody thought of, operation by operation; and attacks
//! on the reading itself. The same tests run natively and in WebAssembly.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "in WebAssembly these tests are no `#[test]`s"
)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use gridkey::{
    crypto::{
        base64url,
        json::{Json, Limits},
        key::{PrivateKey, PublicKey},
    },
    error::{Error, ErrorCode},
    formats::intent::{Checked, Expected, Field, Intent, Row, Rule, check, rows},
};
use sha2::{Digest as _, Sha256};

const NOW: i64 = 1_782_919_651_260;
const ORGANIZATION: &str = "org_2m9F";
/// The own key, in both forms, and another one.
const KEY: &str = "02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31";
const KEY_UNCOMPRESSED: &str = "04f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31d4245acfb88c2ebd42b47628d63ecabf345484f0a9f665b63c54c897d5578be2";
const OTHER_KEY: &str = "020217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed";

// ── Honest payloads, made from the table ──

/// One intent of each kind with every member that it can have.
const STATED: &[&str] = &[
    r#"{"kind":"addPasskey","credentialId":"AdKXJEch","clientDataJson":"eyJjaGFs","attestationObject":"o2NmbXRk","challenge":"ArkQi2yA","nickname":"Phone"}"#,
    r#"{"kind":"addOauth","oidcToken":"eyJhbGci.eyJpc3Mi.c2ln"}"#,
    r#"{"kind":"setEmail","email":"jane@example.com"}"#,
    r#"{"kind":"setPhone","phoneNumber":"+14155550123"}"#,
    r#"{"kind":"revokePasskey"}"#,
    r#"{"kind":"revokeOauth"}"#,
    r#"{"kind":"revokeSession"}"#,
    r#"{"kind":"refreshSession","clientPublicKey":"02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31"}"#,
    r#"{"kind":"exportWallet","clientPublicKey":"04f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31d4245acfb88c2ebd42b47628d63ecabf345484f0a9f665b63c54c897d5578be2","walletId":"wallet_2m9F"}"#,
    r#"{"kind":"verifyOtp","publicKeyHex":"02f45f2a22c908b9ce09a7150e514afd24627c401c38a4afc164e1ea783adaaa31","contact":"jane@example.com","quorumPublicKey":"046b4f88421f76b6ba418afc2ea1d8ced671337d7db6b80478a60d8531bf8f17fa9a512f0fef96fc0c9b4cd9dff70b34992e520ce04c79d931f6ff6296b547d201"}"#,
    r#"{"kind":"executeQuote","signWith":"sp1qpayer","allowBlindSigning":true}"#,
    r#"{"kind":"updatePrivacy","signWith":"sp1qpayer","allowBlindSigning":true}"#,
    r#"{"kind":"activity","activityType":"ACTIVITY_TYPE_CREATE_USERS_V3","parameters":{"users":[{"userName":"card","userTags":[]}],"limit":1}}"#,
];

struct Honest {
    row: &'static Row,
    stated: Json,
    intent: Intent,
    payload: Json,
}

/// An honest payload for each row, with everything that is tolerated in it.
fn honest() -> Vec<Honest> {
    rows()
        .map(|row| honest_for(row, &stated(row.kind)))
        .collect()
}

fn honest_of(kind: &str) -> Honest {
    honest()
        .into_iter()
        .find(|honest| honest.row.kind == kind)
        .unwrap()
}

fn honest_for(row: &'static Row, stated: &Json) -> Honest {
    Honest {
        row,
        stated: stated.clone(),
        intent: Intent::from_json(stated).unwrap().intent,
        payload: Json::object([
            ("organizationId", ORGANIZATION.into()),
            ("parameters", object_of(row.parameters, stated)),
            ("timestampMs", NOW.to_string().into()),
            ("type", row.activity_type.into()),
            ("generateAppProofs", true.into()),
        ]),
    }
}

fn object_of(fields: &[Field], stated: &Json) -> Json {
    let members = fields
        .iter()
        .map(|field| (field.name.to_owned(), value_of(&field.rule, stated)));
    Json::Object(members.collect())
}

fn value_of(rule: &Rule, stated: &Json) -> Json {
    match rule {
        Rule::Any | Rule::Text => "text_1".into(),
        Rule::ShortText(_) => "Google".into(),
        Rule::OneOf(texts) => texts[0].into(),
        Rule::Equal(name) | Rule::EqualHex(name) | Rule::EqualIfGiven(name) => {
            stated.get(name).unwrap().clone()
        }
        Rule::Object(fields) => object_of(fields, stated),
        Rule::OnlyObject(fields) => Json::Array(vec![object_of(fields, stated)]),
        Rule::OnlyText => Json::Array(vec!["id_1".into()]),
        Rule::OptionalFlag => true.into(),
        Rule::OptionalUpTo(most) => most.to_string().into(),
        Rule::OptionalTexts => Json::Array(vec!["internal".into(), "hybrid".into()]),
    }
}

/// The way to each object of a row's parameters, with the members that it may have.
fn objects(row: &Row) -> Vec<(Vec<&'static str>, &'static [Field])> {
    let mut found = vec![(vec!["parameters"], row.parameters)];
    let mut at = 0;
    while let Some((path, fields)) = found.get(at).cloned() {
        for field in fields {
            if let Rule::Object(inner) | Rule::OnlyObject(inner) = field.rule {
                let mut path = path.clone();
                path.push(field.name);
                found.push((path, inner));
            }
        }
        at += 1;
    }
    found
}

/// The members at the end of the way. An array on it is passed through.
fn members_at<'a>(json: &'a mut Json, path: &[&str]) -> &'a mut Vec<(String, Json)> {
    let members = match json {
        Json::Object(members) => members,
        Json::Array(items) => return members_at(&mut items[0], path),
        _ => panic!("no object"),
    };
    match path {
        [] => members,
        [name, rest @ ..] => {
            let (_, value) = members
                .iter_mut()
                .find(|(member, _)| member == name)
                .unwrap();
            members_at(value, rest)
        }
    }
}

impl Honest {
    fn expected() -> Expected<'static> {
        Expected {
            organization_id: Some(ORGANIZATION),
            expires_at_ms: Some(NOW + 300_000),
            now_ms: NOW,
        }
    }

    fn check(&self, payload: &str) -> Result<Checked, Error> {
        check(payload, &self.intent, &Self::expected())
    }

    fn accepts(&self, payload: &Json) {
        let text = payload.to_text();
        if let Err(error) = self.check(&text) {
            panic!("{}: {error:?}: {text}", self.row.kind);
        }
    }

    fn refuses(&self, payload: &Json, reason: &str) {
        self.refuses_text(&payload.to_text(), reason);
    }

    fn refuses_text(&self, payload: &str, reason: &str) {
        assert_eq!(
            verdict(self.check(payload)),
            reason,
            "{}: {payload}",
            self.row.kind
        );
    }

    /// The payload with other members in one of its objects.
    fn with(&self, path: &[&str], change: impl FnOnce(&mut Vec<(String, Json)>)) -> Json {
        let mut payload = self.payload.clone();
        change(members_at(&mut payload, path));
        payload
    }

    fn with_value(&self, path: &[&str], name: &str, value: Json) -> Json {
        self.with(path, |members| {
            members
                .iter_mut()
                .find(|(member, _)| member == name)
                .unwrap()
                .1 = value;
        })
    }

    fn value(&self, path: &[&str], name: &str) -> Json {
        let mut payload = self.payload.clone();
        let members = members_at(&mut payload, path);
        members
            .iter()
            .find(|(member, _)| member == name)
            .unwrap()
            .1
            .clone()
    }

    fn text(&self) -> String {
        self.payload.to_text()
    }
}

/// `accepted`, or the reason of the refusal.
fn verdict(result: Result<Checked, Error>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::IntentRefused, "{error:?}");
            error.reason().unwrap().to_owned()
        }
    }
}

fn json(text: &str) -> Json {
    let limits = Limits {
        bytes: 1 << 20,
        depth: 64,
    };
    Json::parse(text, limits).unwrap()
}

fn stated(kind: &str) -> Json {
    let of_kind = |text: &&str| json(text).get("kind").and_then(Json::as_str) == Some(kind);
    json(STATED.iter().find(|text| of_kind(text)).unwrap())
}

fn intent(text: &str) -> Intent {
    Intent::from_json(&json(text)).unwrap().intent
}

// ── Derived from the table ──

/// The table itself, so that loosening it is noticed: what follows only tests that it is obeyed.
#[test]
fn the_table_says_what_it_should() {
    let written: Vec<String> = rows()
        .map(|row| {
            let minutes = row.max_age_ms / 60_000;
            let blind = if row.blind { " blind" } else { "" };
            let of_row = [row.kind, row.activity_type].join(" ");
            format!("{of_row} {minutes}min{blind}: {}", row.describe())
        })
        .collect();
    let expected = [
        "addPasskey ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2 15min: authenticators [one: {attestation {attestationObject = `attestationObject`, clientDataJson = `clientDataJson`, credentialId = `credentialId`, transports? [texts]}, authenticatorName = `nickname` where given, challenge = `challenge`, transports? [texts]}], userId",
        "addOauth ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS 15min: oauthProviders [one: {oidcToken = `oidcToken`, providerName (at most 64 characters)}], userId",
        "setEmail ACTIVITY_TYPE_UPDATE_USER_EMAIL 15min: userEmail = `email`, userId",
        "setPhone ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER 15min: userPhoneNumber = `phoneNumber`, userId",
        "revokePasskey ACTIVITY_TYPE_DELETE_AUTHENTICATORS 15min: authenticatorIds [one], userId",
        "revokeOauth ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS 15min: providerIds [one], userId",
        "revokeSession ACTIVITY_TYPE_DELETE_API_KEYS 15min: apiKeyIds [one], userId",
        "refreshSession ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2 15min: targetPublicKey = `clientPublicKey` in either case, expirationSeconds? (1 to 900)",
        "exportWallet ACTIVITY_TYPE_EXPORT_WALLET 15min: targetPublicKey = `clientPublicKey` in either case, walletId = `walletId` where given",
        "executeQuote ACTIVITY_TYPE_SIGN_TRANSACTION_V2 1440min blind: signWith = `signWith` where given, type, unsignedTransaction",
        "updatePrivacy ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2 15min blind: encoding = \"PAYLOAD_ENCODING_HEXADECIMAL\", hashFunction = \"HASH_FUNCTION_NO_OP\", payload, signWith = `signWith` where given",
    ];
    assert_eq!(written, expected);
}

/// A misspelt name would bind a parameter to nothing.
#[test]
fn the_table_binds_to_members_that_there_are() {
    for row in rows() {
        let (_, members) = Intent::KINDS
            .iter()
            .find(|(kind, _)| *kind == row.kind)
            .unwrap();
        for (_, fields) in objects(row) {
            for field in fields {
                match field.rule {
                    Rule::Equal(name) | Rule::EqualHex(name) => assert!(members.contains(&name)),
                    Rule::EqualIfGiven(name) => {
                        assert!(members.contains(&format!("{name}?").as_str()), "{name}");
                    }
                    _ => {}
                }
            }
        }
    }
    // And a text that an intent is stated with is bound somewhere.
    for honest in honest() {
        for (name, value) in honest.stated.as_object().unwrap() {
            if !["kind", "allowBlindSigning"].contains(&name.as_str()) {
                assert!(honest.text().contains(&value.to_text()), "{name}");
            }
        }
    }
}

#[test]
fn honest_payloads_are_taken() {
    for honest in honest() {
        honest.accepts(&honest.payload);
        // In whatever order, with whatever white space, with escapes.
        let mut reversed = honest.payload.clone();
        for (path, _) in objects(honest.row) {
            members_at(&mut reversed, &path).reverse();
        }
        members_at(&mut reversed, &[]).reverse();
        honest.accepts(&reversed);
        let spaced = honest
            .text()
            .replace("\":", "\" :\r\n\t ")
            .replace(",\"", " , \"");
        assert!(honest.check(&format!("\n {spaced} ")).is_ok(), "{spaced}");
        let escaped = honest.text().replacen("\"type\"", "\"t\\u0079pe\"", 1);
        assert!(honest.check(&escaped).is_ok());
        // Without what is only tolerated.
        let mut bare = honest.payload.clone();
        members_at(&mut bare, &[]).retain(|(name, _)| name != "generateAppProofs");
        for (path, fields) in objects(honest.row) {
            let optional = |name: &str| {
                fields
                    .iter()
                    .any(|f| f.name == name && f.rule.is_optional())
            };
            members_at(&mut bare, &path).retain(|(name, _)| !optional(name));
        }
        honest.accepts(&bare);
    }
}

#[test]
fn every_parameter_must_be_there() {
    let mut count = 0;
    for honest in honest() {
        for (path, fields) in objects(honest.row) {
            for field in fields.iter().filter(|field| !field.rule.is_optional()) {
                let without = honest.with(&path, |members| {
                    members.retain(|(name, _)| name != field.name);
                });
                honest.refuses(&without, "parameters");
                count += 1;
            }
        }
    }
    assert!(count >= 30, "{count}");
}

#[test]
fn no_object_has_anything_else() {
    for honest in honest() {
        for (path, fields) in objects(honest.row) {
            let twins = fields.iter().flat_map(|field| twins(field.name));
            let fixed = [
                "x",
                "",
                "__proto__",
                "constructor",
                "toString",
                "length",
                "0",
                "invalidateExisting",
                "apiKeyName",
                "language",
                "verificationToken",
                "oidcClaims",
                "organizationId",
                "subOrganizationId",
                "policies",
            ];
            for name in twins.chain(fixed.map(str::to_owned)) {
                for value in ["1".into(), Json::Null, Json::Object(Vec::new())] {
                    let more = honest.with(&path, |members| members.push((name.clone(), value)));
                    honest.refuses(&more, "parameters");
                }
                let at_the_front = honest.with(&path, |members| {
                    members.insert(0, (name.clone(), "1".into()));
                });
                honest.refuses(&at_the_front, "parameters");
            }
        }
    }
}

/// Names that a careless reader takes for `name`.
fn twins(name: &str) -> Vec<String> {
    let (head, tail) = name.split_at(1);
    vec![
        head.to_uppercase() + tail,
        name.to_uppercase(),
        name.to_lowercase() + "_",
        format!("{name} "),
        format!(" {name}"),
        format!("{name}\0"),
        format!("\u{feff}{name}"),
        format!("{name}\u{200b}"),
        format!("{name}[]"),
        name.replace('e', "\u{435}") + "\u{301}",
    ]
}

#[test]
fn no_member_stands_twice() {
    for honest in honest() {
        let mut paths: Vec<_> = objects(honest.row)
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        paths.push(Vec::new());
        for path in paths {
            let names: Vec<String> = members_at(&mut honest.payload.clone(), &path)
                .iter()
                .map(|(name, _)| name.clone())
                .collect();
            for name in names {
                for value in [honest.value(&path, &name), "other".into()] {
                    for place in [0, 1] {
                        let twice = honest.with(&path, |members| {
                            let at = place * members.len();
                            members.insert(at, ("TWICE".to_owned(), value.clone()));
                        });
                        let escaped: String =
                            name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
                        for name in [&name, &escaped] {
                            let text = twice.to_text().replace("TWICE", name);
                            honest.refuses_text(&text, "malformed");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_parameter_is_held_against_its_rule() {
    let mut count = 0;
    for honest in honest() {
        for (path, fields) in objects(honest.row) {
            for field in fields {
                let value = honest.value(&path, field.name);
                for hostile in hostile_values(&field.rule, &value) {
                    let payload = honest.with_value(&path, field.name, hostile);
                    assert_ne!(payload, honest.payload);
                    honest.refuses(&payload, "parameters");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 600, "{count}");
}

/// What must not stand where `value` is right.
fn hostile_values(rule: &Rule, value: &Json) -> Vec<Json> {
    let list = |items: &[&Json]| Json::Array(items.iter().copied().cloned().collect());
    let like_an_array = |item: &Json| Json::object([("0", item.clone()), ("length", 1_u64.into())]);
    let mut hostile = vec![
        Json::Null,
        false.into(),
        0_u64.into(),
        json("-1"),
        json("1.5"),
        json("1e3"),
        "".into(),
        " \u{7f}".into(),
        "a\0b".into(),
        "a\nb".into(),
        Json::Object(Vec::new()),
        list(&[&Json::Null]),
        list(&[&"".into()]),
        list(&[&"a\0b".into()]),
        list(&[value]),
        list(&[value, value]),
        like_an_array(value),
        Json::object([("toString", value.clone())]),
    ];
    let text = value.as_str().unwrap_or_default();
    match rule {
        Rule::Any => panic!("{rule:?} is for what stands outside the parameters"),
        Rule::Text => hostile.push(true.into()),
        Rule::ShortText(most) => hostile.push("x".repeat(most + 1).into()),
        Rule::OneOf(_) => hostile.extend(other_texts(text)),
        Rule::EqualHex(_) => {
            hostile.extend(other_texts(text).filter(|other| {
                !other
                    .as_str()
                    .is_some_and(|other| other.eq_ignore_ascii_case(text))
            }));
            hostile.push(OTHER_KEY.into());
            let other_form = if text == KEY { KEY_UNCOMPRESSED } else { KEY };
            hostile.push(other_form.into());
            hostile.push(format!("0x{text}").into());
        }
        Rule::Equal(_) | Rule::EqualIfGiven(_) => hostile.extend(other_texts(text)),
        Rule::Object(_) => hostile.push(value.to_text().into()),
        Rule::OnlyObject(_) | Rule::OnlyText => {
            let only = &value.as_array().unwrap()[0];
            hostile.extend([
                only.clone(),
                list(&[]),
                list(&[only, only]),
                list(&[only, &Json::Null]),
                list(&[only, &"id_2".into()]),
                like_an_array(only),
                value.to_text().into(),
            ]);
        }
        Rule::OptionalFlag => hostile.push("true".into()),
        Rule::OptionalUpTo(most) => hostile.extend([
            (most + 1).into(),
            (most + 1).to_string().into(),
            u64::MAX.into(),
            "99999999999999999999".into(),
            "0".into(),
            format!("+{most}").into(),
            format!("0{most}").into(),
            format!("{most}.0").into(),
            json(&format!("{most}.0")),
            format!(" {most}").into(),
            "0x10".into(),
            "٩".into(),
            "Infinity".into(),
        ]),
        Rule::OptionalTexts => {
            // Two texts in a list are what it may be.
            hostile.extend([
                "internal".into(),
                list(&[&"usb".into(), &Json::Null]),
                list(&[&"usb".into(), &1_u64.into()]),
            ]);
        }
    }
    hostile
}

/// Texts that a careless comparison takes for `text`.
fn other_texts(text: &str) -> impl Iterator<Item = Json> + use<> {
    let mut shorter = text.to_owned();
    shorter.pop();
    let (head, tail) = text.split_at(text.len() / 2);
    let swapped = |to_upper: fn(&str) -> String| to_upper(text);
    let look_alike = text.replacen(['a', 'e', 'o', 'p', 'c', '1', 'A', 'E'], "\u{430}", 1);
    let texts = [
        shorter,
        tail.to_owned(),
        "x".to_owned(),
        format!("{text}x"),
        format!("{text}{text}"),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}\t"),
        format!("{text}\0"),
        format!("{text}\0x"),
        format!("{head}\0{tail}"),
        format!("{head}\u{200b}{tail}"),
        format!("{head}\u{301}{tail}"),
        format!("\u{feff}{text}"),
        format!("\u{202e}{text}"),
        format!("{text}="),
        format!("{text},{text}"),
        look_alike,
        swapped(str::to_uppercase),
        swapped(str::to_lowercase),
    ];
    let text = text.to_owned();
    texts
        .into_iter()
        .filter(move |other| *other != text)
        .map(Json::from)
}

/// A payload that is right for one row is right for no other kind of intent.
#[test]
fn no_kind_takes_anothers_payload() {
    let mut count = 0;
    for honest in honest() {
        for other in STATED {
            let other_kind = json(other)
                .get("kind")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned();
            if other_kind == honest.row.kind {
                continue;
            }
            let result = check(&honest.text(), &intent(other), &Honest::expected());
            assert_eq!(
                verdict(result),
                "type",
                "{other_kind} for {}",
                honest.row.kind
            );
            count += 1;
        }
        // Nor is it, under the type that is asked for, with another's parameters.
        for other in rows().filter(|other| other.activity_type != honest.row.activity_type) {
            let parameters = object_of(other.parameters, &stated(other.kind));
            honest.refuses(
                &honest.with_value(&[], "parameters", parameters),
                "parameters",
            );
        }
    }
    assert_eq!(count, rows().count() * (STATED.len() - 1));
}

#[test]
fn every_kind_is_tested() {
    let tested: Vec<Json> = STATED.iter().map(|text| json(text)).collect();
    let tested: Vec<&str> = tested
        .iter()
        .map(|stated| {
            let kind = stated.get("kind").unwrap().as_str().unwrap();
            assert_eq!(Intent::from_json(stated).unwrap().intent.kind(), kind);
            kind
        })
        .collect();
    let kinds: Vec<&str> = Intent::KINDS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(tested, kinds);
    for kind in kinds {
        let has_row = rows().any(|row| row.kind == kind);
        assert_ne!(has_row, ["verifyOtp", "activity"].contains(&kind), "{kind}");
    }
}

// ── The envelope ──

#[test]
fn the_envelope_is_closed() {
    for honest in honest() {
        for (name, reason) in [
            ("organizationId", "members"),
            ("parameters", "members"),
            ("timestampMs", "members"),
            ("type", "malformed"),
        ] {
            let without = honest.with(&[], |members| members.retain(|(member, _)| member != name));
            honest.refuses(&without, reason);
        }
        let names = [
            "organizationId",
            "parameters",
            "timestampMs",
            "type",
            "generateAppProofs",
        ];
        let more = [
            "x",
            "",
            "__proto__",
            "constructor",
            "userId",
            "signature",
            "fingerprint",
        ];
        for name in names
            .into_iter()
            .flat_map(twins)
            .chain(more.map(str::to_owned))
        {
            let more = honest.with(&[], |members| members.push((name, "1".into())));
            honest.refuses(&more, "members");
        }
        for flag in [
            Json::Null,
            1_u64.into(),
            "true".into(),
            Json::Array(vec![true.into()]),
        ] {
            let payload = honest.with_value(&[], "generateAppProofs", flag);
            honest.refuses(&payload, "members");
        }
        for parameters in [
            Json::Null,
            "{}".into(),
            1_u64.into(),
            Json::Array(Vec::new()),
            Json::Array(vec![honest.value(&[], "parameters")]),
            honest.value(&[], "parameters").to_text().into(),
            Json::Object(Vec::new()),
        ] {
            let payload = honest.with_value(&[], "parameters", parameters);
            honest.refuses(&payload, "parameters");
        }
    }
}

#[test]
fn the_type_is_exactly_one_of_the_rows() {
    for honest in honest() {
        let activity_type = honest.row.activity_type;
        for other in other_texts(activity_type) {
            honest.refuses(&honest.with_value(&[], "type", other), "type");
        }
        for other in [
            "",
            "ACTIVITY_TYPE_",
            "ACTIVITY_TYPE_SIGN_TRANSACTION",
            "addPasskey",
        ] {
            honest.refuses(&honest.with_value(&[], "type", other.into()), "type");
        }
        for no_text in [
            Json::Null,
            1_u64.into(),
            Json::Array(vec![activity_type.into()]),
        ] {
            honest.refuses(&honest.with_value(&[], "type", no_text), "malformed");
        }
    }
}

#[test]
fn the_organization_is_the_wallets() {
    for honest in honest() {
        for other in other_texts(ORGANIZATION) {
            honest.refuses(
                &honest.with_value(&[], "organizationId", other),
                "organization",
            );
        }
        let unknown = Expected {
            organization_id: None,
            ..Honest::expected()
        };
        for no_id in [
            Json::Null,
            "".into(),
            "a\0b".into(),
            7_u64.into(),
            Json::Array(vec![ORGANIZATION.into()]),
            Json::object([("id", ORGANIZATION.into())]),
        ] {
            let payload = honest.with_value(&[], "organizationId", no_id);
            honest.refuses(&payload, "organization");
            let result = check(&payload.to_text(), &honest.intent, &unknown);
            assert_eq!(verdict(result), "organization");
        }
        let other = honest.with_value(&[], "organizationId", "org_other".into());
        let checked = check(&other.to_text(), &honest.intent, &unknown).unwrap();
        assert_eq!(checked.organization_id.as_deref(), Some("org_other"));
    }
}

#[test]
fn the_time_is_the_challenges() {
    for honest in honest() {
        let at = |payload_ms: i64, expires_at_ms: Option<i64>, now_ms: i64| {
            let time = payload_ms.to_string().into();
            let payload = honest.with_value(&[], "timestampMs", time).to_text();
            let expected = Expected {
                organization_id: None,
                expires_at_ms,
                now_ms,
            };
            match check(&payload, &honest.intent, &expected) {
                Err(error) if error.code() != ErrorCode::IntentRefused => {
                    error.code().as_str().to_owned()
                }
                checked => verdict(checked),
            }
        };
        let minute = 60_000;
        let age = if honest.row.kind == "executeQuote" {
            24 * 60 * minute
        } else {
            15 * minute
        };
        // Whoever chooses the payload chooses its end, too: neither may be of another time.
        let soon = 5 * minute;
        assert_eq!(at(NOW, Some(NOW + soon), NOW), "accepted");
        assert_eq!(at(NOW, Some(NOW + 60 * 60 * minute), NOW), "accepted");
        assert_eq!(at(NOW, Some(NOW + soon), NOW + soon - 1), "accepted");
        assert_eq!(at(NOW, Some(NOW + soon), NOW + soon), "challenge_expired");
        assert_eq!(at(NOW, Some(NOW), NOW), "challenge_expired");
        assert_eq!(at(NOW, Some(NOW - 1), NOW - minute), "timestamp");
        let later = NOW + 100 * age;
        assert_eq!(at(NOW, Some(later), NOW + age), "accepted");
        assert_eq!(at(NOW, Some(later), NOW + age + 1), "timestamp");
        assert_eq!(at(NOW, Some(later), NOW - 10 * minute), "accepted");
        assert_eq!(at(NOW, Some(later), NOW - 10 * minute - 1), "clock_wrong");
        for now_ms in [0, i64::MIN] {
            assert_eq!(at(NOW, Some(NOW + soon), now_ms), "clock_wrong");
        }
        assert_eq!(at(NOW, Some(i64::MAX), i64::MAX - 1), "timestamp");
        for expires_at_ms in [0, i64::MIN] {
            assert_eq!(at(NOW, Some(expires_at_ms), NOW), "challenge_expired");
        }
        assert_eq!(at(NOW, None, NOW), "accepted");
        assert_eq!(at(NOW, None, NOW + 15 * minute), "accepted");
        assert_eq!(at(NOW, None, NOW + 15 * minute + 1), "timestamp");
        assert_eq!(at(NOW, None, NOW - 10 * minute), "accepted");
        assert_eq!(at(NOW, None, NOW - 10 * minute - 1), "timestamp");
        for now_ms in [0, i64::MIN, i64::MAX] {
            assert_eq!(at(NOW, None, now_ms), "timestamp");
        }
        for no_time in [
            json("1782919651260"),
            "".into(),
            "1782919651".into(),
            "178291965126".into(),
            "01782919651260".into(),
            "17829196512600".into(),
            "+782919651260".into(),
            "-782919651260".into(),
            "1782919651.26".into(),
            "1782919651260 ".into(),
            " 1782919651260".into(),
            "178291965126\u{661}".into(),
            "1782919651e03".into(),
            "2026-07-01T15:27:31Z".into(),
            "NaN".into(),
            Json::Null,
            Json::Array(vec!["1782919651260".into()]),
        ] {
            honest.refuses(&honest.with_value(&[], "timestampMs", no_time), "timestamp");
        }
    }
    // Thirteen characters, but twelve digits: of 1994.
    let honest = honest_of("setEmail");
    let signed = honest.with_value(&[], "timestampMs", "+782919651260".into());
    let expected = Expected {
        now_ms: 782_919_651_260,
        ..Expected::default()
    };
    let result = check(&signed.to_text(), &honest.intent, &expected);
    assert_eq!(verdict(result), "timestamp");
    let late = honest.with_value(&[], "timestampMs", "1999999999999".into());
    let error = honest.check(&late.to_text()).unwrap_err();
    assert!(error.message().contains("clock"), "{error:?}");
}

// ── Reading ──

#[test]
fn what_is_not_one_strict_json_object_is_malformed() {
    for honest in honest() {
        let good = honest.text();
        let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJpZCI6IjEifQ.c2ln";
        // What a passkey challenge looks like.
        let hash = "9f3b".repeat(16);
        let mut hostile = vec![
            String::new(),
            " ".to_owned(),
            jwt.to_owned(),
            hash,
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            Json::from(good.as_str()).to_text(),
            format!("[{good}]"),
            format!("\u{feff}{good}"),
            format!("{good}\u{feff}"),
            format!("{good}{good}"),
            format!("{good}x"),
            format!("{good}\0"),
            format!("\0{good}"),
            format!("{good},"),
            format!("{good}//"),
            format!("/**/{good}"),
            format!("({good})"),
            format!("\u{a0}{good}"),
            good.replace('"', "'"),
            good.replace(',', ",,"),
            good.replacen(":true", ":True", 1),
            good.replacen(":true", ":NaN", 1),
            good.replacen(":true", ":01", 1),
            good.replacen('}', ",}", 1),
            good.replacen("\"timestampMs\":\"", "\"timestampMs\":\"\\ud800", 1),
            good.replacen("\"timestampMs\":\"", "\"timestampMs\":\"\\udc00\\ud800", 1),
            good.replacen("\"timestampMs\":\"", "\"timestampMs\":\"\\x31", 1),
            good.replacen("\"timestampMs\":\"", "\"timestampMs\":\"\n", 1),
            good.replacen("\"type\"", "\"type\\ud800\"", 1),
            good.replacen("\"type\"", "\"\\ud83d\":1,\"type\"", 1),
        ];
        for cut in (0..good.len()).step_by(7) {
            hostile.push(good[..cut].to_owned());
        }
        for text in hostile {
            assert_ne!(text, good);
            honest.refuses_text(&text, "malformed");
        }
    }
}

#[test]
fn depth_is_bounded() {
    let honest = honest_of("revokeSession");
    for bracket in ["[", "{\"a\":", "[[{\"a\":"] {
        for count in [17, 5_000, 200_000] {
            let bomb = bracket.repeat(count);
            honest.refuses_text(&bomb, "malformed");
            let inside = honest.text().replacen("\"text_1\"", &bomb, 1);
            honest.refuses_text(&inside, "malformed");
        }
    }
    // The whole may be 16 deep: the object, the parameters, and 14 more.
    let with_depth = |depth: usize| {
        let deep = "[".repeat(depth) + &"]".repeat(depth);
        honest.text().replacen("\"text_1\"", &deep, 1)
    };
    honest.refuses_text(&with_depth(14), "parameters");
    honest.refuses_text(&with_depth(15), "malformed");
}

#[test]
fn size_is_capped_at_64_kib() {
    let honest = honest_of("setEmail");
    let good = honest.text();
    let with_space = |bytes: usize| good.clone() + &" ".repeat(bytes - good.len());
    assert!(honest.check(&with_space(64 * 1024)).is_ok());
    honest.refuses_text(&with_space(64 * 1024 + 1), "malformed");
    // Many members are looked through quickly, and refused.
    let many: Vec<String> = (0..6000)
        .map(|number| format!("\"{number:04}\":1"))
        .collect();
    let many = good.replacen("\"userId\"", &format!("{},\"userId\"", many.join(",")), 1);
    assert!(many.len() < 64 * 1024);
    honest.refuses_text(&many, "parameters");
}

// ── Attacks by operation ──

/// What `from` stands for in the honest payload of `kind` becomes `to`; refused for `reason`.
fn attacks(kind: &str, attacks: &[(&str, &str, &str)]) {
    let honest = honest_of(kind);
    let good = honest.text();
    assert!(attacks.len() >= 8, "{kind}");
    for (from, to, reason) in attacks {
        let hostile = good.replacen(from, to, 1);
        assert_ne!(hostile, good, "{kind}: {from}");
        honest.refuses_text(&hostile, reason);
    }
}

#[test]
fn another_address() {
    attacks(
        "setEmail",
        &[
            ("jane@example.com", "mallory@example.com", "parameters"),
            ("jane@example.com", "Jane@example.com", "parameters"),
            (
                "jane@example.com",
                "jane@example.com.evil.example",
                "parameters",
            ),
            ("jane@example.com", "jane@example.com\\u0000", "parameters"),
            ("jane@example.com", "jane+x@example.com", "parameters"),
            ("jane@example.com", "jan\u{435}@example.com", "parameters"),
            (
                "jane@example.com",
                "mallory@evil.example,jane@example.com",
                "parameters",
            ),
            (
                "\"jane@example.com\"",
                "[\"jane@example.com\"]",
                "parameters",
            ),
            (
                "\"userId\"",
                "\"userPhoneNumber\":\"+14155550123\",\"userId\"",
                "parameters",
            ),
            (
                "\"userId\"",
                "\"verificationToken\":\"eyJ\",\"userId\"",
                "parameters",
            ),
            (
                "\"userId\"",
                "\"useremail\":\"mallory@example.com\",\"userId\"",
                "parameters",
            ),
            (
                "\"userId\"",
                "\"user\\u0045mail\":\"m@example.com\",\"userId\"",
                "malformed",
            ),
            ("UPDATE_USER_EMAIL", "UPDATE_USER", "type"),
            ("UPDATE_USER_EMAIL", "UPDATE_USER_PHONE_NUMBER", "type"),
        ],
    );
}

#[test]
fn another_number() {
    attacks(
        "setPhone",
        &[
            ("+14155550123", "+14155550124", "parameters"),
            ("+14155550123", "14155550123", "parameters"),
            ("+14155550123", "0014155550123", "parameters"),
            ("+14155550123", "+1 415 555 0123", "parameters"),
            ("+14155550123", "+14155550123,+14155550124", "parameters"),
            ("+14155550123", "+1415555012\u{663}", "parameters"),
            ("+14155550123", "\u{ff0b}14155550123", "parameters"),
            ("\"+14155550123\"", "14155550123", "parameters"),
            (
                "\"+14155550123\"",
                "{\"value\":\"+14155550123\"}",
                "parameters",
            ),
            ("userPhoneNumber", "userEmail", "parameters"),
            (
                "\"userId\"",
                "\"verificationToken\":\"eyJ\",\"userId\"",
                "parameters",
            ),
            ("UPDATE_USER_PHONE_NUMBER", "UPDATE_USER_EMAIL", "type"),
        ],
    );
}

#[test]
fn another_provider() {
    let token = "eyJhbGci.eyJpc3Mi.c2ln";
    attacks(
        "addOauth",
        &[
            (token, "eyJhbGci.eyJpc3Mj.c2ln", "parameters"),
            (token, "eyJhbGci.eyJpc3Mi.", "parameters"),
            (token, "eyJhbGci.eyJpc3Mi.c2ln=", "parameters"),
            (token, "EYJHBGCI.EYJPC3MI.C2LN", "parameters"),
            ("\"eyJhbGci.eyJpc3Mi.c2ln\"", "null", "parameters"),
            (
                "\"oidcToken\"",
                "\"oidcClaims\":{\"iss\":\"x\"},\"oidcToken\"",
                "parameters",
            ),
            (
                "\"oidcToken\":\"eyJhbGci.eyJpc3Mi.c2ln\"",
                "\"oidcClaims\":{\"sub\":\"1\"}",
                "parameters",
            ),
            (
                "[{",
                "[{\"oidcToken\":\"evil\",\"providerName\":\"Google\"},{",
                "parameters",
            ),
            ("}]", "},null]", "parameters"),
            ("[{", "{\"length\":1,\"0\":{", "malformed"),
            ("\"Google\"", "{\"name\":\"Google\"}", "parameters"),
            ("CREATE_OAUTH_PROVIDERS", "CREATE_API_KEYS_V2", "type"),
        ],
    );
    let honest = honest_of("addOauth");
    let named = |name: String| {
        let path = ["parameters", "oauthProviders"];
        honest.with_value(&path, "providerName", name.into())
    };
    honest.accepts(&named("é".repeat(64)));
    honest.refuses(&named("é".repeat(65)), "parameters");
}

#[test]
fn another_passkey() {
    attacks(
        "addPasskey",
        &[
            ("AdKXJEch", "AdKXJEcg", "parameters"),
            ("AdKXJEch", "AdKXJEch==", "parameters"),
            ("eyJjaGFs", "eyJjaGFt", "parameters"),
            ("o2NmbXRk", "O2NMBXRK", "parameters"),
            ("ArkQi2yA", "ArKQi2yA", "parameters"),
            ("\"Phone\"", "\"phone\"", "parameters"),
            ("\"Phone\"", "\" Phone \"", "parameters"),
            ("\"AdKXJEch\"", "[\"AdKXJEch\"]", "parameters"),
            (
                "\"attestation\":{",
                "\"attestation\":{\"authenticatorData\":\"AA\",",
                "parameters",
            ),
            (
                "\"authenticators\":[{",
                "\"authenticators\":[{\"publicKey\":\"02\",",
                "parameters",
            ),
            (
                "\"authenticators\":[{",
                "\"authenticators\":[{},{",
                "parameters",
            ),
            (
                "\"authenticators\":[",
                "\"apiKeys\":[{}],\"authenticators\":[",
                "parameters",
            ),
            ("[\"internal\",\"hybrid\"]", "\"internal\"", "parameters"),
            ("[\"internal\",\"hybrid\"]", "[{}]", "parameters"),
            ("CREATE_AUTHENTICATORS_V2", "CREATE_AUTHENTICATORS", "type"),
            ("CREATE_AUTHENTICATORS_V2", "CREATE_API_KEYS_V2", "type"),
        ],
    );
    // The name is the trimmed one; where none is known, any.
    let honest = honest_of("addPasskey");
    let Json::Object(mut members) = honest.stated.clone() else {
        panic!("no object");
    };
    for (nickname, other, accepted) in [
        ("\tPhone \u{a0}", "Phone", true),
        ("\tPhone \u{a0}", "\tPhone \u{a0}", false),
        ("Phone", "Phone 2", false),
        (" ", " ", false),
        (" ", "Phone", false),
    ] {
        members.retain(|(name, _)| name != "nickname");
        members.push(("nickname".to_owned(), nickname.into()));
        let intent = Intent::from_json(&Json::Object(members.clone()))
            .unwrap()
            .intent;
        let path = ["parameters", "authenticators"];
        let payload = honest
            .with_value(&path, "authenticatorName", other.into())
            .to_text();
        assert_eq!(
            check(&payload, &intent, &Honest::expected()).is_ok(),
            accepted,
            "{other:?}"
        );
    }
    members.retain(|(name, _)| name != "nickname");
    let unnamed = Intent::from_json(&Json::Object(members)).unwrap().intent;
    for (name, accepted) in [("anything", true), ("", false)] {
        let path = ["parameters", "authenticators"];
        let payload = honest
            .with_value(&path, "authenticatorName", name.into())
            .to_text();
        assert_eq!(
            check(&payload, &unnamed, &Honest::expected()).is_ok(),
            accepted
        );
    }
}

#[test]
fn more_revoked_than_one() {
    for (kind, list) in [
        ("revokePasskey", "authenticatorIds"),
        ("revokeOauth", "providerIds"),
        ("revokeSession", "apiKeyIds"),
    ] {
        let listed = |value: &str| format!("\"{list}\":{value}");
        let with = |more: &str| format!("{more},\"userId\"");
        attacks(
            kind,
            &[
                ("[\"id_1\"]", "[]", "parameters"),
                ("[\"id_1\"]", "[\"id_1\",\"id_2\"]", "parameters"),
                ("[\"id_1\"]", "[\"id_1\",\"id_1\"]", "parameters"),
                ("[\"id_1\"]", "[\"\"]", "parameters"),
                ("[\"id_1\"]", "[1]", "parameters"),
                ("[\"id_1\"]", "\"id_1\"", "parameters"),
                ("[\"id_1\"]", "\"*\"", "parameters"),
                ("[\"id_1\"]", "[[\"id_1\"]]", "parameters"),
                ("[\"id_1\"]", "{\"0\":\"id_1\",\"length\":1}", "parameters"),
                ("\"userId\"", &with("\"userIds\":[\"x\"]"), "parameters"),
                ("\"userId\"", &with(&listed("[\"id_2\"]")), "malformed"),
                (list, "userIds", "parameters"),
                (
                    "\"userId\":\"text_1\"",
                    "\"userId\":[\"text_1\"]",
                    "parameters",
                ),
            ],
        );
        let honest = honest_of(kind);
        for other in [
            "ACTIVITY_TYPE_DELETE_USERS",
            "ACTIVITY_TYPE_DELETE_SUB_ORGANIZATION",
            "ACTIVITY_TYPE_DELETE_WALLETS",
            "ACTIVITY_TYPE_DELETE_POLICY",
        ] {
            honest.refuses(&honest.with_value(&[], "type", other.into()), "type");
        }
    }
}

#[test]
fn anothers_session() {
    let upper = OTHER_KEY.to_uppercase();
    let other_sign = KEY.replacen("02", "03", 1);
    attacks(
        "refreshSession",
        &[
            (KEY, OTHER_KEY, "parameters"),
            (KEY, &upper, "parameters"),
            (KEY, &other_sign, "parameters"),
            (KEY, KEY_UNCOMPRESSED, "parameters"),
            (KEY, &KEY[..64], "parameters"),
            (KEY, &KEY[2..], "parameters"),
            ("\"02f4", "\"0x02f4", "parameters"),
            ("\"900\"", "\"901\"", "parameters"),
            ("\"900\"", "901", "parameters"),
            ("\"900\"", "9e2", "parameters"),
            ("\"900\"", "{}", "parameters"),
            (
                "\"expiration",
                "\"invalidateExisting\":true,\"expiration",
                "parameters",
            ),
            (
                "\"expiration",
                "\"userId\":\"user_evil\",\"expiration",
                "parameters",
            ),
            (
                "\"expiration",
                "\"apiKeyName\":\"x\",\"expiration",
                "parameters",
            ),
            (
                "\"expiration",
                "\"targetpublickey\":\"02\",\"expiration",
                "parameters",
            ),
            (
                "\"expiration",
                "\"t\\u0061rgetPublicKey\":\"02\",\"expiration",
                "malformed",
            ),
            (
                "CREATE_READ_WRITE_SESSION_V2",
                "CREATE_READ_WRITE_SESSION",
                "type",
            ),
            ("CREATE_READ_WRITE_SESSION_V2", "CREATE_API_KEYS_V2", "type"),
            ("CREATE_READ_WRITE_SESSION_V2", "EXPORT_WALLET", "type"),
        ],
    );
    // Any time up to the longest, as a text or as a number; and the key in either case.
    let honest = honest_of("refreshSession");
    for seconds in ["\"900\"", "900", "\"1\"", "1", "\"60\""] {
        let payload = honest.text().replacen("\"900\"", seconds, 1);
        assert_eq!(verdict(honest.check(&payload)), "accepted", "{seconds}");
    }
    let upper = honest.text().replacen(KEY, &KEY.to_uppercase(), 1);
    assert_eq!(verdict(honest.check(&upper)), "accepted");
}

#[test]
fn an_export_to_somebody_else() {
    let own_with_other_y = KEY_UNCOMPRESSED.replacen("be2", "be3", 1);
    let hybrid = KEY_UNCOMPRESSED.replacen("04", "06", 1);
    attacks(
        "exportWallet",
        &[
            (KEY_UNCOMPRESSED, OTHER_KEY, "parameters"),
            (KEY_UNCOMPRESSED, KEY, "parameters"),
            (KEY_UNCOMPRESSED, &own_with_other_y, "parameters"),
            (KEY_UNCOMPRESSED, &hybrid, "parameters"),
            (KEY_UNCOMPRESSED, "", "parameters"),
            ("wallet_2m9F", "wallet_other", "parameters"),
            ("wallet_2m9F", "WALLET_2M9F", "parameters"),
            ("\"wallet_2m9F\"", "[\"wallet_2m9F\"]", "parameters"),
            (
                "\"walletId\"",
                "\"language\":\"MNEMONIC_LANGUAGE_KOREAN\",\"walletId\"",
                "parameters",
            ),
            (
                "\"walletId\"",
                "\"address\":\"sp1q\",\"walletId\"",
                "parameters",
            ),
            (
                "\"walletId\"",
                "\"targetPublicKey \":\"04\",\"walletId\"",
                "parameters",
            ),
            ("walletId", "privateKeyId", "parameters"),
            ("EXPORT_WALLET", "EXPORT_WALLET_ACCOUNT", "type"),
            ("EXPORT_WALLET", "EXPORT_PRIVATE_KEY", "type"),
        ],
    );
    let honest = honest_of("exportWallet");
    let unknown = [
        r#"{"kind":"exportWallet","clientPublicKey":""#,
        KEY_UNCOMPRESSED,
        r#""}"#,
    ];
    let checked = check(
        &honest.text(),
        &intent(&unknown.concat()),
        &Honest::expected(),
    )
    .unwrap();
    assert_eq!(checked.wallet.as_deref(), Some("wallet_2m9F"));
    assert_eq!(checked.fingerprint, None);
}

#[test]
fn another_payer() {
    attacks(
        "executeQuote",
        &[
            ("sp1qpayer", "sp1qother", "parameters"),
            ("sp1qpayer", "SP1QPAYER", "parameters"),
            ("\"sp1qpayer\"", "[\"sp1qpayer\"]", "parameters"),
            (
                "\"signWith\"",
                "\"signwith\":\"sp1q\",\"signWith\"",
                "parameters",
            ),
            (
                "\"unsignedTransaction\":\"text_1\"",
                "\"unsignedTransaction\":\"\"",
                "parameters",
            ),
            (
                "\"unsignedTransaction\":\"text_1\"",
                "\"unsignedTransaction\":[\"a\",\"b\"]",
                "parameters",
            ),
            (
                "\"unsignedTransaction\"",
                "\"unsignedTransactions\":[],\"unsignedTransaction\"",
                "parameters",
            ),
            ("\"unsignedTransaction\"", "\"transaction\"", "parameters"),
            (
                "\"parameters\":{",
                "\"parameters\":{\"caip2\":\"eip155:1\",",
                "parameters",
            ),
            ("SIGN_TRANSACTION_V2", "SIGN_TRANSACTION", "type"),
            ("SIGN_TRANSACTION_V2", "SIGN_RAW_PAYLOAD_V2", "type"),
            ("SIGN_TRANSACTION_V2", "SIGN_RAW_PAYLOADS", "type"),
        ],
    );
    attacks(
        "updatePrivacy",
        &[
            ("sp1qpayer", "sp1qother", "parameters"),
            ("sp1qpayer", "sp1qpayer\\u0000", "parameters"),
            ("HASH_FUNCTION_NO_OP", "HASH_FUNCTION_SHA256", "parameters"),
            (
                "HASH_FUNCTION_NO_OP",
                "HASH_FUNCTION_NOT_APPLICABLE",
                "parameters",
            ),
            ("HASH_FUNCTION_NO_OP", "hash_function_no_op", "parameters"),
            ("_HEXADECIMAL", "_TEXT_UTF8", "parameters"),
            ("_HEXADECIMAL", "_EIP712", "parameters"),
            (
                "\"payload\":\"text_1\"",
                "\"payload\":[\"text_1\"]",
                "parameters",
            ),
            ("\"payload\"", "\"payloads\"", "parameters"),
            (
                "\"payload\"",
                "\"payloads\":[\"a\"],\"payload\"",
                "parameters",
            ),
            ("SIGN_RAW_PAYLOAD_V2", "SIGN_RAW_PAYLOADS", "type"),
            ("SIGN_RAW_PAYLOAD_V2", "SIGN_TRANSACTION_V2", "type"),
        ],
    );
    for kind in ["executeQuote", "updatePrivacy"] {
        // Whoever pays is told where it was not known, and what was signed blind can be named.
        let unknown = format!(r#"{{"kind":"{kind}","allowBlindSigning":true}}"#);
        let text = honest_of(kind).text();
        let checked = check(&text, &intent(&unknown), &Honest::expected()).unwrap();
        assert_eq!(checked.wallet.as_deref(), Some("sp1qpayer"));
        let digest: String = Sha256::digest(&text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(checked.fingerprint, Some(digest));
    }
}

/// What nobody documents has no row: no intent but one that states it whole signs it.
#[test]
fn what_is_not_documented_is_not_signed() {
    for activity_type in [
        // The legs of a delegated key, as far as the documents' text goes.
        "ACTIVITY_TYPE_CREATE_USERS_V3",
        "ACTIVITY_TYPE_CREATE_POLICIES",
        "ACTIVITY_TYPE_CREATE_POLICY_V3",
        "ACTIVITY_TYPE_CREATE_API_KEYS_V2",
        // Other ways to sign in.
        "ACTIVITY_TYPE_STAMP_LOGIN",
        "ACTIVITY_TYPE_OAUTH_LOGIN",
        "ACTIVITY_TYPE_OTP_LOGIN",
        // Taking over.
        "ACTIVITY_TYPE_UPDATE_ROOT_QUORUM",
        "ACTIVITY_TYPE_INIT_USER_EMAIL_RECOVERY",
        "ACTIVITY_TYPE_DELETE_USERS",
    ] {
        for honest in honest() {
            let payload = honest.with_value(&[], "type", activity_type.into());
            let error = honest.check(&payload.to_text()).unwrap_err();
            assert_eq!(error.reason(), Some("type"));
            let details = Json::object([("activityType", activity_type.into())]);
            assert_eq!(error.details(), Some(&details));
        }
    }
}

#[test]
fn an_activity_is_exactly_the_stated_one() {
    let of = |activity_type: &str, parameters: &str| Intent::Activity {
        activity_type: activity_type.to_owned(),
        parameters: json(parameters),
    };
    let payload = |activity_type: &str, parameters: &str| {
        format!(
            r#"{{"organizationId":"{ORGANIZATION}","parameters":{parameters},"timestampMs":"{NOW}","type":"{activity_type}"}}"#
        )
    };
    let said =
        |payload: &str, intent: &Intent| verdict(check(payload, intent, &Honest::expected()));
    let stated = r#"{"users":[{"name":"card","tags":["a","b"],"limit":10}],"note":null,"on":true}"#;
    let asked_for = of("A_B", stated);
    for same in [
        stated,
        r#"{"on":true,"note":null,"users":[{"limit":10,"tags":["a","b"],"name":"card"}]}"#,
        r#"{ "on":true,"note":null,"users":[{"limit":10,"tags":["\u0061","b"],"n\u0061me":"card"}]}"#,
    ] {
        assert_eq!(
            said(&payload("A_B", same), &asked_for),
            "accepted",
            "{same}"
        );
    }
    for (from, to, reason) in [
        ("card", "Card", "parameters"),
        ("\"card\"", "\"card\\u0000\"", "parameters"),
        ("10", "10.0", "parameters"),
        ("10", "1e1", "parameters"),
        ("10", "\"10\"", "parameters"),
        ("10", "11", "parameters"),
        ("\"a\",\"b\"", "\"b\",\"a\"", "parameters"),
        ("\"a\",\"b\"", "\"a\"", "parameters"),
        ("\"a\",\"b\"", "\"a\",\"b\",\"c\"", "parameters"),
        ("[\"a\",\"b\"]", "{\"0\":\"a\",\"1\":\"b\"}", "parameters"),
        ("null", "false", "parameters"),
        (",\"note\":null", "", "parameters"),
        ("\"note\"", "\"Note\"", "parameters"),
        ("\"note\"", "\"more\":1,\"note\"", "parameters"),
        ("\"name\"", "\"more\":1,\"name\"", "parameters"),
        ("\"name\"", "\"n\\u0061me\":\"card\",\"name\"", "malformed"),
        ("[{", "[{},{", "parameters"),
        ("true", "1", "parameters"),
    ] {
        let hostile = stated.replacen(from, to, 1);
        assert_ne!(hostile, stated);
        assert_eq!(
            said(&payload("A_B", &hostile), &asked_for),
            reason,
            "{hostile}"
        );
    }
    for other in ["A_BC", "A_", "a_b", "", "A_B "] {
        assert_eq!(said(&payload(other, stated), &asked_for), "type", "{other}");
    }
    // Parameters that cannot be one payload's are never found in one.
    let twice = Intent::Activity {
        activity_type: "A_B".to_owned(),
        parameters: Json::Object(vec![
            ("a".to_owned(), Json::Null),
            ("a".to_owned(), Json::Null),
        ]),
    };
    assert_eq!(
        said(&payload("A_B", r#"{"a":null,"b":null}"#), &twice),
        "parameters"
    );
    assert_eq!(said(&payload("A_B", r#"{"a":null}"#), &twice), "parameters");
    // Its envelope is everybody's.
    let good = payload("A_B", stated);
    for (from, to, reason) in [
        (ORGANIZATION, "org_other", "organization"),
        ("1782919651260", "1782919651", "timestamp"),
        ("1782919651260", "1782999999999", "timestamp"),
        ("{", "{\"x\":1,", "members"),
    ] {
        assert_eq!(said(&good.replacen(from, to, 1), &asked_for), reason);
    }
    let checked = check(&good, &asked_for, &Honest::expected()).unwrap();
    assert_eq!(checked.activity_type.as_deref(), Some("A_B"));
    assert_eq!((checked.wallet, checked.fingerprint), (None, None));
}

// ── One-time codes ──

/// A key about to become a session key signs an enclave's token, and no activity.
#[test]
fn a_code_is_answered_with_a_token() {
    let signer = PrivateKey::from_bytes(&[1; 32]).unwrap();
    let own = PublicKey::from_hex(KEY).unwrap();
    let intent = |contact: Option<&str>, verification_type: Option<&str>| Intent::VerifyOtp {
        public_key: own.clone(),
        contact: contact.map(str::to_owned),
        verification_type: verification_type.map(str::to_owned),
        quorum_key: signer.public_key().clone(),
    };
    let strict = intent(Some("jane@example.com"), Some("OTP_TYPE_EMAIL"));
    let claims = format!(
        r#"{{"id":"1","verification_type":"OTP_TYPE_EMAIL","contact":"jane@example.com","organization_id":"{ORGANIZATION}","public_key":"{KEY}","exp":"{}"}}"#,
        NOW + 1
    );
    let token = |header: &str, claims: &str| {
        let signed = [header, claims]
            .map(|part| base64url::encode(part.as_bytes()))
            .join(".");
        let der = signer.sign_der(signed.as_bytes());
        let raw = p256::ecdsa::Signature::from_der(&der).unwrap().to_bytes();
        format!("{signed}.{}", base64url::encode(&raw))
    };
    let header = r#"{"typ":"JWT","alg":"ES256"}"#;
    let good = token(header, &claims);
    let checked = check(&good, &strict, &Honest::expected()).unwrap();
    let only_organization = Checked {
        organization_id: Some(ORGANIZATION.to_owned()),
        ..Checked::default()
    };
    assert_eq!(checked, only_organization);

    for (from, to, reason) in [
        (KEY, OTHER_KEY, "parameters"),
        (KEY, "", "parameters"),
        ("jane@", "mallory@", "parameters"),
        ("jane@", "JANE@", "parameters"),
        ("OTP_TYPE_EMAIL", "OTP_TYPE_SMS", "parameters"),
        ("\"contact\"", "\"Contact\"", "parameters"),
        (ORGANIZATION, "org_other", "organization"),
        (ORGANIZATION, "", "organization"),
        ("\"exp\":\"", "\"exp\":\"+", "timestamp"),
        ("\"exp\":\"", "\"exp\":\"NaN", "timestamp"),
    ] {
        let hostile = claims.replacen(from, to, 1);
        assert_ne!(hostile, claims);
        let result = check(&token(header, &hostile), &strict, &Honest::expected());
        assert_eq!(verdict(result), reason, "{hostile}");
    }
    // What is not known is not compared.
    let other = claims
        .replacen("jane", "mallory", 1)
        .replacen("EMAIL", "SMS", 1);
    assert!(
        check(
            &token(header, &other),
            &intent(None, None),
            &Honest::expected()
        )
        .is_ok()
    );

    let code = |payload: &str, intent: &Intent| {
        check(payload, intent, &Honest::expected())
            .unwrap_err()
            .code()
    };
    let late = claims.replacen(&(NOW + 1).to_string(), &NOW.to_string(), 1);
    assert_eq!(
        code(&token(header, &late), &strict),
        ErrorCode::ChallengeExpired
    );
    for unsigned in [
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"alg":"ES256"}"#,
        "{}",
        "",
    ] {
        assert_eq!(
            code(&token(unsigned, &claims), &strict),
            ErrorCode::BundleMalformed
        );
    }
    for text in [
        "",
        "x",
        "a.b.c",
        &format!("{good}."),
        &format!(" {good}"),
        &"9f3b".repeat(16),
    ] {
        assert_eq!(code(text, &strict), ErrorCode::BundleMalformed, "{text}");
    }
    // By the pinned key, which did not sign it.
    let pinned = [r#"{"kind":"verifyOtp","publicKeyHex":""#, KEY, r#""}"#].concat();
    let pinned = Intent::from_json(&json(&pinned)).unwrap().intent;
    assert_eq!(code(&good, &pinned), ErrorCode::BundleUntrusted);

    for honest in honest() {
        for text in [honest.text(), format!(" \n{}", honest.text())] {
            assert_eq!(verdict(check(&text, &strict, &Honest::expected())), "type");
        }
        // And the other way round.
        honest.refuses_text(&good, "malformed");
    }
}

// ── Stating an intent ──

#[test]
fn intents_are_stated_without_anything_else() {
    let refused = |stated: &Json, name: &str| {
        let error = Intent::from_json(stated).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        let named = format!("`intent.{name}`");
        assert!(error.message().contains(&named), "{named}: {error:?}");
    };
    for (kind, own_members) in Intent::KINDS {
        let honest = stated(kind);
        let Json::Object(members) = &honest else {
            panic!("no object");
        };
        let with = |name: &str, value: Option<Json>| {
            let mut members = members.clone();
            members.retain(|(member, _)| member != name);
            members.extend(value.map(|value| (name.to_owned(), value)));
            Json::Object(members)
        };
        assert!(Intent::from_json(&honest).is_ok());
        for member in own_members
            .iter()
            .chain(&["organizationId?", "expiresAt?", "kind"])
        {
            let name = member.trim_end_matches('?');
            match Intent::from_json(&with(name, None)) {
                Ok(_) => assert!(member.ends_with('?'), "{kind} {member}"),
                Err(_) => refused(&with(name, None), name),
            }
            assert_eq!(
                Intent::from_json(&with(name, None)).is_ok(),
                member.ends_with('?')
            );
            for value in [
                Json::Null,
                false.into(),
                1_u64.into(),
                "".into(),
                "true".into(),
                Json::Array(vec!["x".into()]),
                Json::Object(Vec::new()),
            ] {
                // Any text will do for most, and any value as parameters.
                let is_free = value.as_str() == Some("true") && !NOT_FREE.contains(&name);
                if name != "parameters" && !is_free {
                    refused(&with(name, Some(value)), name);
                }
            }
        }
        for unknown in [
            "x",
            "Kind",
            "organizationid",
            "expires_at",
            "allow_blind_signing",
        ] {
            refused(&with(unknown, Some("1".into())), unknown);
        }
        for unknown in [
            "__proto__ ",
            "\u{435}mail",
            "canary@example.com",
            &"x".repeat(101),
        ] {
            refused(&with(unknown, Some("1".into())), "");
            let error = Intent::from_json(&with(unknown, Some("1".into()))).unwrap_err();
            assert!(!error.message().contains(unknown), "{error:?}");
        }
        if !own_members.contains(&"allowBlindSigning") {
            refused(
                &with("allowBlindSigning", Some(true.into())),
                "allowBlindSigning",
            );
        }
    }
    for no_intent in [
        "null",
        "[]",
        "\"addOauth\"",
        "{}",
        r#"{"kind":"constructor"}"#,
    ] {
        refused(&json(no_intent), "kind");
    }
    for kind in [
        "AddOauth",
        "addOauth ",
        "__proto__",
        "toString",
        "activity\0",
    ] {
        refused(&Json::object([("kind", kind.into())]), "kind");
    }
}

/// Those that not every text will do for.
const NOT_FREE: &[&str] = &[
    "kind",
    "expiresAt",
    "publicKeyHex",
    "quorumPublicKey",
    "allowBlindSigning",
];

#[test]
fn intents_are_stated_with_organization_and_time() {
    for text in STATED {
        let Json::Object(mut members) = json(text) else {
            panic!("no object");
        };
        let plain = Intent::from_json(&Json::Object(members.clone())).unwrap();
        assert_eq!((plain.organization_id, plain.expires_at_ms), (None, None));
        members.push(("organizationId".to_owned(), ORGANIZATION.into()));
        members.push(("expiresAt".to_owned(), "2026-07-01T15:27:31.26Z".into()));
        let stated = Intent::from_json(&Json::Object(members)).unwrap();
        assert_eq!(stated.organization_id.as_deref(), Some(ORGANIZATION));
        assert_eq!(stated.expires_at_ms, Some(NOW));
    }
    let Intent::VerifyOtp {
        public_key,
        contact,
        quorum_key,
        ..
    } = Intent::from_json(&stated("verifyOtp")).unwrap().intent
    else {
        panic!("another kind");
    };
    assert_eq!(public_key, PublicKey::from_hex(KEY).unwrap());
    assert_eq!(contact.as_deref(), Some("jane@example.com"));
    let pinned = [r#"{"kind":"verifyOtp","publicKeyHex":""#, KEY, r#""}"#].concat();
    let Intent::VerifyOtp {
        quorum_key: default,
        contact: None,
        ..
    } = intent(&pinned)
    else {
        panic!("another kind");
    };
    assert_eq!(quorum_key, default);
}

// ── Refusals ──

#[test]
fn refusals_repeat_nothing_of_the_payload() {
    for honest in honest() {
        let mut hostile = vec![
            "canary".to_owned(),
            format!("canary{}", honest.text()),
            honest
                .with(&[], |members| {
                    members.push(("canary".to_owned(), Json::Null))
                })
                .to_text(),
        ];
        for (path, _) in objects(honest.row) {
            let more = honest.with(&path, |members| {
                members.push(("canary".to_owned(), "canary".into()));
            });
            hostile.push(more.to_text());
            for (name, _) in members_at(&mut honest.payload.clone(), &path) {
                hostile.push(
                    honest
                        .with_value(&path, name, json(r#"{"canary":1}"#))
                        .to_text(),
                );
            }
        }
        for name in ["organizationId", "timestampMs", "type"] {
            hostile.push(honest.with_value(&[], name, "canary".into()).to_text());
        }
        for text in hostile {
            let error = honest.check(&text).unwrap_err();
            let shown = format!("{error:?} {:?} {:?}", error.reason(), error.details());
            assert!(!shown.contains("canary"), "{shown}");
            assert!(error.message().contains("Nothing was signed"), "{shown}");
        }
    }
}

#[test]
fn the_refused_type_is_told_if_it_has_the_form_of_one() {
    let honest = honest_of("setEmail");
    let told = |activity_type: &str| {
        let payload = honest.with_value(&[], "type", activity_type.into());
        let error = honest.check(&payload.to_text()).unwrap_err();
        assert_eq!(error.reason(), Some("type"));
        error
            .details()
            .and_then(|details| details.get("activityType")?.as_str().map(str::to_owned))
    };
    for shown in ["ACTIVITY_TYPE_STAMP_LOGIN", "A", "_9", &"A".repeat(100)] {
        assert_eq!(told(shown).as_deref(), Some(shown));
    }
    for hidden in [
        "",
        "canary",
        "A a",
        "A-B",
        "A\0",
        "Ä",
        "<B>",
        "a_B",
        &"A".repeat(101),
    ] {
        assert_eq!(told(hidden), None, "{hidden}");
    }
}
