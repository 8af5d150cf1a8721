//! What single operations take, and what they need.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use gridkey_relay::{Owned, OwnedResources, Ownership, Resource, ResourceKind, Unavailable, User};
use serde_json::{Value, json};

use crate::support::{
    ALICE_ACCOUNT, Mounted, Platform, Upstream, bare, builder, patch_of, post, request,
};

fn raw(method: Method, path: &str, body: &str) -> Request<Body> {
    request(method, path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn patch(path: &str, body: &Value) -> Request<Body> {
    patch_of("alice", path, body)
}

fn quote_from(source: Value, destination: Value) -> Value {
    json!({
        "source": source,
        "destination": destination,
        "lockedCurrencySide": "SENDING",
        "lockedCurrencyAmount": 1000,
    })
}

fn from_account() -> Value {
    json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT })
}

fn to_bank() -> Value {
    json!({ "destinationType": "ACCOUNT", "accountId": "ExternalAccount:alice" })
}

/// A body of everything that `createQuote` takes, as nobody would write it.
const QUOTE: &str = " {\n\"source\" : {\"customer\\u0049d\":\"Customer:a\", \"accountId\":\
    \"InternalAccount:a\",\"sourceType\":\"ACCOUNT\"},\
    \"destination\":{\"paymentRail\":\"ACH\",\"accountId\":\"ExternalAccount:a\",\
    \"destinationType\":\"ACCOUNT\"},\"lockedCurrencyAmount\":9000000000000000,\
    \"lockedCurrencySide\":\"SENDING\",\"description\":\"\u{e9}\\n\",\
    \"remittanceInformation\":\"1\",\"purposeOfPayment\":\"GIFT\",\"scaFactor\":\"PASSKEY\",\
    \"lookupId\":\"Lookup:a\"}\t";

#[tokio::test]
async fn each_body_arrives_byte_for_byte() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let realtime = "{\"source\":{\"sourceType\":\"REALTIME_FUNDING\",\"customerId\":\"Customer:a\",\
        \"currency\":\"USDC\",\"cryptoNetwork\":\"SOLANA\"},\"destination\":{\"umaAddress\":\
        \"$a@uma.example\",\"currency\":\"EUR\",\"destinationType\":\"UMA_ADDRESS\"}}";
    for (method, path, body) in [
        (
            Method::POST,
            "/auth/delegated-keys",
            "{\"nickname\" :\"\\u0041\", \"internalAccountId\":\"InternalAccount:a\",\"cardId\":\
             \"Card:a\"} ",
        ),
        (
            Method::PATCH,
            "/customers/Customer:a",
            "{\"customerType\":\"INDIVIDUAL\",\n\"email\":\"a\\u0040example.com\",\"phoneNumber\":\
             \"+14155551234\"}",
        ),
        (
            Method::PATCH,
            "/internal-accounts/InternalAccount:a",
            "{ \"privateEnabled\" : true }",
        ),
        (
            Method::POST,
            "/internal-accounts/InternalAccount:a/export",
            "{\"clientPublicKey\":\"04\"}\n",
        ),
        (Method::POST, "/quotes", QUOTE),
        (Method::POST, "/quotes", realtime),
        (Method::POST, "/quotes/Quote:a/execute", ""),
        (Method::POST, "/quotes/Quote:a/execute", "{ }"),
        (
            Method::POST,
            "/quotes/Quote:a/execute",
            "{\"scaFactor\": \"SMS_OTP\"}",
        ),
        (
            Method::POST,
            "/quotes/Quote:a/authorize",
            "{\"code\":null,\"origin\":\"https://wallet.example\",\"passkeyAssertion\":{\"a\":[1.5,\
             {\"b\":-1}],\"c\":{}}}",
        ),
        (
            Method::POST,
            "/auth/credentials",
            "{\"accountId\":\"InternalAccount:a\", \"type\":\"SMS_OTP\"}",
        ),
    ] {
        let mut request = raw(method.clone(), path, body);
        for header in ["grid-wallet-signature", "idempotency-key", "request-id"] {
            request
                .headers_mut()
                .insert(header, header.parse().unwrap());
        }
        assert_eq!(relay.send(request).await.status, 200, "{path} {body}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!((seen.method, &*seen.path_and_query), (method, path));
        assert_eq!(seen.body, body);
        for header in ["grid-wallet-signature", "idempotency-key", "request-id"] {
            assert_eq!(seen.headers[header], header);
        }
    }
}

#[tokio::test]
async fn each_bare_request_arrives() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for (method, path) in [
        (Method::GET, "/auth/delegated-keys/DelegatedKey:a"),
        (Method::DELETE, "/auth/delegated-keys/DelegatedKey:a"),
        (Method::GET, "/agents/device-codes/GRID-AGENT-A/status"),
        (Method::POST, "/quotes/Quote:a/authorize/resend"),
        (Method::POST, "/quotes/Quote:a/execute"),
    ] {
        assert_eq!(relay.send(bare(method.clone(), path)).await.status, 200);
        let seen = upstream.seen().pop().unwrap();
        assert_eq!((seen.method, &*seen.path_and_query), (method, path));
        assert!(seen.body.is_empty());
    }
    upstream.will_answer(axum::Json(json!({ "id": "Quote:a" })));
    let answer = relay.send(bare(Method::GET, "/quotes/Quote:a")).await;
    assert_eq!(answer.json(), json!({ "id": "Quote:a" }));
}

#[tokio::test]
async fn queries_of_several_parameters_arrive_in_order() {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    let accounts = "/customers/internal-accounts";
    let keys = "/auth/delegated-keys";
    for (given, forwarded) in [
        (
            format!("{accounts}?customerId=Customer:a"),
            format!("{accounts}?customerId=Customer:a"),
        ),
        (
            format!(
                "{accounts}?cursor=a%26customerId%3DCustomer:b%2B%3D&limit=100&currency=USD&\
                 typ%65=EMBEDDED_WALLET&customerId=Customer:a"
            ),
            format!(
                "{accounts}?customerId=Customer:a&type=EMBEDDED_WALLET&currency=USD&limit=100&\
                 cursor=a%26customerId%3DCustomer:b%2B%3D"
            ),
        ),
        (
            format!(
                "{accounts}?customerId=Customer:a&cursor={}",
                "a".repeat(1024)
            ),
            format!(
                "{accounts}?customerId=Customer:a&cursor={}",
                "a".repeat(1024)
            ),
        ),
        (
            format!("{keys}?fundingSourceId=CardFundingSource:a&accountId=InternalAccount:a"),
            format!("{keys}?accountId=InternalAccount:a&fundingSourceId=CardFundingSource:a"),
        ),
        (
            format!("{keys}?fundingSourceId=CardFundingSource:a"),
            format!("{keys}?fundingSourceId=CardFundingSource:a"),
        ),
    ] {
        assert_eq!(
            relay.send(bare(Method::GET, &given)).await.status,
            200,
            "{given}"
        );
        assert_eq!(upstream.seen().pop().unwrap().path_and_query, forwarded);
    }
}

/// Sends each request to a relay that allows everything.
async fn assert_refused_whoever_asks(requests: Vec<Request<Body>>) {
    let upstream = Upstream::start().await;
    let relay = Mounted::allowing(&upstream);
    for request in requests {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let what = format!("{} {} {:?}", parts.method, parts.uri, body);
        let answer = relay
            .send(Request::from_parts(parts, Body::from(body)))
            .await;
        assert_eq!(answer.status, 400, "{what}");
        answer.assert_refused(400, "INVALID_INPUT");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn queries_that_grid_could_read_otherwise() {
    let too_long = format!("?customerId=Customer:a&cursor={}", "a".repeat(1025));
    let accounts = [
        "",
        "?",
        "?type=EMBEDDED_WALLET",
        "?customerId=",
        "?customerId",
        "?customerid=Customer:a",
        "?customerId=Customer:a&customerId=Customer:b",
        "?customerId=Customer:a&%63ustomerId=Customer:b",
        "?customerId=Customer:a&customerId=Customer:a",
        "?customerId=Customer:a&CustomerId=Customer:b",
        "?customerId[]=Customer:a",
        "?customerId=Customer:a%2FCustomer:b",
        "?customerId=Customer:a&limit=1&limit=2",
        "?customerId=Customer:a&Limit=1",
        "?customerId=Customer:a&limit=",
        "?customerId=Customer:a&cursor=a+b",
        "?customerId=Customer:a&cursor=%FF",
        "?customerId=Customer:a&cursor=%00",
        "?customerId=Customer:a&offset=1",
        &too_long,
    ];
    let keys = [
        "",
        "?",
        "?accountid=InternalAccount:a",
        "?cardId=Card:a",
        "?accountId=InternalAccount:a&cardId=Card:b",
        "?accountId=InternalAccount:a&accountId=InternalAccount:b",
        "?accountId=InternalAccount:a&fundingSourceId=",
        "?fundingSourceId=a&fundingSourceId=b",
    ];
    let mut requests = Vec::new();
    for query in accounts {
        let path = format!("/customers/internal-accounts{query}");
        requests.push(bare(Method::GET, &path));
    }
    for query in keys {
        requests.push(bare(Method::GET, &format!("/auth/delegated-keys{query}")));
    }
    requests.push(bare(Method::GET, "/quotes/Quote:a?expand=source"));
    requests.push(bare(
        Method::POST,
        "/quotes/Quote:a/execute?customerId=Customer:b",
    ));
    assert_refused_whoever_asks(requests).await;
}

#[tokio::test]
async fn members_that_are_not_for_a_browser() {
    let quote = quote_from(from_account(), to_bank());
    let quote_with = |name: &str, value: Value| {
        let mut quote = quote.clone();
        quote[name] = value;
        post("/quotes", &quote)
    };
    let fee = json!({
        "platformFixedFee": { "amount": 0, "currency": "USD" },
        "platformVariableFeeBps": 0,
    });
    let key = json!({
        "cardId": "Card:a",
        "internalAccountId": "InternalAccount:a",
        "fundingSourceId": "CardFundingSource:b",
    });
    let mut requests = vec![
        quote_with("immediatelyExecute", json!(true)),
        quote_with("immediatelyExecute", json!(false)),
        quote_with("platformFeeOverride", fee),
        quote_with("senderCustomerInfo", json!({ "FULL_NAME": "Bob" })),
        quote_with("customerId", json!("Customer:b")),
        quote_with("Source", from_account()),
        post("/auth/delegated-keys", &key),
        post(
            "/quotes/Quote:a/authorize",
            &json!({ "code": "123456", "endUserIpAddress": "203.0.113.42" }),
        ),
        post(
            "/quotes/Quote:a/execute",
            &json!({ "scaFactor": "SMS_OTP", "quoteId": "Quote:b" }),
        ),
        post(
            "/internal-accounts/InternalAccount:a/export",
            &json!({ "clientPublicKey": "04", "id": "InternalAccount:b" }),
        ),
        patch(
            "/internal-accounts/InternalAccount:a",
            &json!({ "privateEnabled": true, "customerId": "Customer:b" }),
        ),
    ];
    for name in [
        "Email",
        "address",
        "birthDate",
        "currencies",
        "endUserTermsConsent",
        "fullName",
        "id",
        "kycStatus",
        "platformCustomerId",
        "umaAddress",
    ] {
        let update = json!({ "customerType": "INDIVIDUAL", "email": "a@example.com", name: "a" });
        requests.push(patch("/customers/Customer:a", &update));
    }
    assert_refused_whoever_asks(requests).await;
}

#[tokio::test]
async fn nested_objects_that_grid_could_read_otherwise() {
    let sources = [
        json!(null),
        json!("InternalAccount:a"),
        json!([from_account()]),
        json!({}),
        json!({ "accountId": ALICE_ACCOUNT }),
        json!({ "sourceType": "account", "accountId": ALICE_ACCOUNT }),
        json!({ "sourceType": ["ACCOUNT"], "accountId": ALICE_ACCOUNT }),
        json!({ "sourceType": "CUSTOMER", "customerId": "Customer:a" }),
        json!({ "sourceType": "ACCOUNT" }),
        json!({ "sourceType": "ACCOUNT", "customerId": "Customer:a" }),
        json!({ "sourceType": "ACCOUNT", "accountId": null }),
        json!({ "sourceType": "ACCOUNT", "accountId": [ALICE_ACCOUNT] }),
        json!({ "sourceType": "ACCOUNT", "accountId": { "id": ALICE_ACCOUNT } }),
        json!({ "sourceType": "ACCOUNT", "accountId": "InternalAccount:a/b" }),
        json!({ "sourceType": "ACCOUNT", "accountId": "internalaccount:a" }),
        json!({ "sourceType": "ACCOUNT", "accountId": "Customer:a" }),
        json!({ "sourceType": "ACCOUNT", "accountId": "ExternalAccount:a" }),
        json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT, "AccountId": "b" }),
        json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT, "account_id": "b" }),
        json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT, "customerId": null }),
        json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT, "customerId": "" }),
        json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT, "currency": "USD" }),
        json!({ "sourceType": "REALTIME_FUNDING", "currency": "USD" }),
        json!({ "sourceType": "REALTIME_FUNDING", "currency": "USD", "customerId": null }),
        json!({
            "sourceType": "REALTIME_FUNDING",
            "customerId": "Customer:a",
            "accountId": "InternalAccount:b",
        }),
    ];
    let destinations = [
        json!(null),
        json!("ExternalAccount:a"),
        json!([to_bank()]),
        json!({}),
        json!({ "accountId": "ExternalAccount:a" }),
        json!({ "destinationType": "ACCOUNT" }),
        json!({ "destinationType": "ACCOUNT", "accountId": ["ExternalAccount:a"] }),
        json!({ "destinationType": "ACCOUNT", "accountId": "Customer:a" }),
        json!({ "destinationType": "ACCOUNT", "accountId": "a" }),
        json!({ "destinationType": "ACCOUNT", "accountId": "ExternalAccount:a%2F" }),
        json!({ "destinationType": "ACCOUNT", "accountId": "ExternalAccount:a", "customerId": "b" }),
        json!({ "destinationType": "UMA_ADDRESS", "umaAddress": "$a@b", "accountId": "b" }),
        json!({ "destinationType": "EXTERNAL_ACCOUNT_DETAILS", "externalAccountDetails": {} }),
    ];
    let mut requests = Vec::new();
    for source in sources {
        requests.push(post("/quotes", &quote_from(source, to_bank())));
    }
    for destination in destinations {
        requests.push(post("/quotes", &quote_from(from_account(), destination)));
    }
    requests.push(post("/quotes", &json!({ "source": from_account() })));
    requests.push(post("/quotes", &json!({ "destination": to_bank() })));
    let mut quote = quote_from(from_account(), to_bank());
    quote["lookupId"] = json!(null);
    requests.push(post("/quotes", &quote));
    assert_refused_whoever_asks(requests).await;
}

#[tokio::test]
async fn names_that_occur_twice_at_any_depth() {
    let mut requests = Vec::new();
    for twice in [
        "\"accountId\":\"InternalAccount:b\"",
        "\"account\\u0049d\":\"InternalAccount:b\"",
        "\"sourceType\":\"REALTIME_FUNDING\"",
    ] {
        let source = QUOTE.replacen("\"sourceType\"", &format!("{twice},\"sourceType\""), 1);
        requests.push(raw(Method::POST, "/quotes", &source));
    }
    let twice = "\"accountId\":\"ExternalAccount:b\",\"destinationType\"";
    let destination = QUOTE.replacen("\"destinationType\"", twice, 1);
    requests.push(raw(Method::POST, "/quotes", &destination));
    let twice = "\"source\":{},\"destination\"";
    let source = QUOTE.replacen("\"destination\"", twice, 1);
    requests.push(raw(Method::POST, "/quotes", &source));
    for assertion in [
        "{\"id\":\"a\",\"id\":\"b\"}",
        "{\"response\":{\"id\":\"a\",\"\\u0069d\":\"b\"}}",
        "[[{\"id\":1,\"id\":1}]]",
    ] {
        let body = format!("{{\"passkeyAssertion\":{assertion}}}");
        requests.push(raw(Method::POST, "/quotes/Quote:a/authorize", &body));
    }
    assert_refused_whoever_asks(requests).await;

    // The unchanged one is taken.
    let upstream = Upstream::start().await;
    let request = raw(Method::POST, "/quotes", QUOTE);
    assert_eq!(Mounted::allowing(&upstream).send(request).await.status, 200);
}

#[tokio::test]
async fn identifiers_that_are_missing_or_no_text() {
    let mut requests = Vec::new();
    for id in [
        json!(null),
        json!(1),
        json!(["Card:a"]),
        json!("a/b"),
        json!(""),
    ] {
        let card = json!({ "cardId": id, "internalAccountId": "InternalAccount:a" });
        requests.push(post("/auth/delegated-keys", &card));
        let account = json!({ "cardId": "Card:a", "internalAccountId": id });
        requests.push(post("/auth/delegated-keys", &account));
    }
    requests.push(post("/auth/delegated-keys", &json!({ "cardId": "Card:a" })));
    for path in [
        "/auth/delegated-keys/a%2Fb",
        "/quotes/..",
        "/quotes/%2e%2e",
        "/quotes/a%20b",
    ] {
        requests.push(bare(Method::GET, path));
    }
    let update = json!({ "customerType": "INDIVIDUAL" });
    requests.push(patch("/customers/a%5Cb", &update));
    requests.push(patch("/internal-accounts/%ED%A0%80", &json!({})));
    assert_refused_whoever_asks(requests).await;
}

/// Requests of Alice's that name one thing of Bob's, or of nobody's, or of another kind.
fn requests_of_alice_about_others() -> Vec<(u16, Request<Body>)> {
    let key = |card: &str, account: &str| {
        let body = json!({ "cardId": card, "internalAccountId": account, "nickname": "Card" });
        post("/auth/delegated-keys", &body)
    };
    let get = |path: &str| bare(Method::GET, path);
    let quote = |source: Value, destination| post("/quotes", &quote_from(source, destination));
    let account = |id: &str, customer: &str| json!({ "sourceType": "ACCOUNT", "accountId": id, "customerId": customer });
    let realtime = |id: &str| json!({ "sourceType": "REALTIME_FUNDING", "customerId": id });
    let to = |id: &str| json!({ "destinationType": "ACCOUNT", "accountId": id });
    let email = json!({ "customerType": "INDIVIDUAL", "email": "bob@example.com" });
    let lookup = |id: &str| {
        let mut body = quote_from(from_account(), to_bank());
        body["lookupId"] = json!(id);
        post("/quotes", &body)
    };
    vec![
        (403, key("Card:bob", ALICE_ACCOUNT)),
        (403, key("Card:alice", "InternalAccount:bob")),
        (403, key(ALICE_ACCOUNT, "Card:alice")),
        (
            403,
            get(&format!(
                "/auth/delegated-keys?accountId={ALICE_ACCOUNT}&fundingSourceId=CardFundingSource:bob"
            )),
        ),
        (
            403,
            get("/auth/delegated-keys?accountId=InternalAccount:bob&\
                 fundingSourceId=CardFundingSource:alice"),
        ),
        (404, get("/auth/delegated-keys/DelegatedKey:bob")),
        (404, get("/auth/delegated-keys/CardFundingSource:alice")),
        (404, get("/auth/delegated-keys/Session:alice")),
        (
            403,
            get("/customers/internal-accounts?customerId=Customer:bob"),
        ),
        (
            403,
            get("/customers/internal-accounts?customerId=InternalAccount:alice"),
        ),
        (403, patch("/customers/Customer:bob", &email)),
        (403, patch("/customers/InternalAccount:alice", &email)),
        (403, patch("/customers/internal%2Daccounts", &email)),
        (
            403,
            patch("/internal-accounts/InternalAccount:bob", &json!({})),
        ),
        (
            403,
            patch("/internal-accounts/ExternalAccount:alice", &json!({})),
        ),
        (
            403,
            post("/internal-accounts/InternalAccount:bob/export", &json!({})),
        ),
        (
            403,
            quote(account("InternalAccount:bob", "Customer:alice"), to_bank()),
        ),
        (
            403,
            quote(account(ALICE_ACCOUNT, "Customer:bob"), to_bank()),
        ),
        (403, quote(realtime("Customer:bob"), to_bank())),
        (403, quote(realtime(ALICE_ACCOUNT), to_bank())),
        (403, quote(from_account(), to("ExternalAccount:bob"))),
        (403, quote(from_account(), to("InternalAccount:bob"))),
        (403, lookup("Lookup:alice")),
        (404, get("/quotes/Quote:bob")),
        (404, get("/quotes/Quote:bob-realtime")),
        (404, get("/quotes/Quote:nobody")),
        (404, get("/quotes/Session:alice")),
        (404, bare(Method::POST, "/quotes/Quote:bob/execute")),
        (
            404,
            post("/quotes/Quote:bob/authorize", &json!({ "code": "1" })),
        ),
        (
            404,
            bare(Method::POST, "/quotes/Quote:bob/authorize/resend"),
        ),
        (403, get("/agents/device-codes/GRID-AGENT-BOB/status")),
    ]
}

#[tokio::test]
async fn one_foreign_identifier_is_enough_to_be_refused() {
    for (status, request) in requests_of_alice_about_others() {
        let what = format!("{} {}", request.method(), request.uri());
        let upstream = Upstream::start().await;
        let answer = Mounted::by_ownership(&upstream).send(request).await;
        assert_eq!(answer.status, status, "{what}");
        let code = if status == 404 {
            "REFERENCE_NOT_FOUND"
        } else {
            "FORBIDDEN"
        };
        answer.assert_refused(status, code);
        // Only looks at what is on Alice's accounts, and at whose a quote is.
        for seen in upstream.seen() {
            let is_look_at_own = seen.method == Method::GET
                && seen
                    .path_and_query
                    .contains("?accountId=InternalAccount:alice");
            let is_look_at_quote = seen.method == Method::GET
                && seen.path_and_query.starts_with("/quotes/")
                && !seen.headers.contains_key("x-user");
            assert!(is_look_at_own || is_look_at_quote, "{what}: {seen:?}");
            assert!(!seen.path_and_query.contains('&'), "{what}: {seen:?}");
        }
        let looks_at_quote = upstream
            .seen()
            .iter()
            .filter(|seen| seen.path_and_query.starts_with("/quotes/"))
            .count();
        assert!(looks_at_quote <= 1, "{what}");
    }
}

#[tokio::test]
async fn what_is_paid_from_and_to_can_be_the_customers_own() {
    let own_wallet =
        json!({ "destinationType": "ACCOUNT", "accountId": "InternalAccount:alice-second" });
    let realtime = json!({ "sourceType": "REALTIME_FUNDING", "customerId": "Customer:alice" });
    let uma = json!({ "destinationType": "UMA_ADDRESS", "umaAddress": "$bob@uma.example" });
    for (source, destination) in [
        (from_account(), to_bank()),
        (from_account(), own_wallet),
        (from_account(), uma),
        (realtime, to_bank()),
    ] {
        let upstream = Upstream::start().await;
        let quote = quote_from(source, destination);
        let answer = Mounted::by_ownership(&upstream)
            .send(post("/quotes", &quote))
            .await;
        assert_eq!(answer.status, 200, "{quote}");
        let seen = upstream.seen();
        assert_eq!(
            (seen.len(), &*seen[0].body),
            (1, quote.to_string().as_bytes())
        );
    }
}

#[tokio::test]
async fn a_quote_is_whose_source_it_has() {
    let quote = |source: Value| axum::Json(json!({ "id": "Quote:a", "source": source }));
    let own = json!({ "sourceType": "ACCOUNT", "accountId": ALICE_ACCOUNT });
    let own_of_own = json!({ "accountId": ALICE_ACCOUNT, "customerId": "Customer:alice" });
    let realtime = json!({ "sourceType": "REALTIME_FUNDING", "customerId": "Customer:alice" });
    for source in [own, own_of_own, realtime] {
        let upstream = Upstream::start().await;
        upstream.will_answer(quote(source));
        let relay = Mounted::by_ownership(&upstream);
        let execute = bare(Method::POST, "/quotes/Quote:a/execute");
        assert_eq!(relay.send(execute).await.status, 200);
    }
    for source in [
        json!({}),
        json!({ "sourceType": "ACCOUNT" }),
        json!({ "accountId": "InternalAccount:bob" }),
        json!({ "accountId": "Customer:alice" }),
        json!({ "accountId": "ExternalAccount:alice" }),
        json!({ "accountId": ALICE_ACCOUNT, "customerId": "Customer:bob" }),
        json!({ "accountId": "InternalAccount:bob", "customerId": "Customer:alice" }),
        json!({ "customerId": "Customer:bob" }),
    ] {
        let upstream = Upstream::start().await;
        upstream.will_answer(quote(source.clone()));
        let relay = Mounted::by_ownership(&upstream);
        // The second time from memory.
        for _ in 0..2 {
            let execute = bare(Method::POST, "/quotes/Quote:a/execute");
            let answer = relay.send(execute).await;
            answer.assert_refused(404, "REFERENCE_NOT_FOUND");
        }
        assert_eq!(upstream.seen().len(), 1, "{source}");
    }
}

#[tokio::test]
async fn whose_a_quote_is_is_asked_once() {
    let upstream = Upstream::start().await;
    let relay = Mounted::by_ownership(&upstream);
    for _ in 0..3 {
        let execute = bare(Method::POST, "/quotes/Quote:alice/execute");
        assert_eq!(relay.send(execute).await.status, 200);
    }
    let looks = upstream
        .seen()
        .iter()
        .filter(|seen| seen.method == Method::GET)
        .count();
    assert_eq!((looks, upstream.seen().len()), (1, 4));
}

#[tokio::test]
async fn an_unknown_owner_of_a_quote_or_key_is_no_permission() {
    let upstream = Upstream::start().await;
    let relay = Mounted::by_ownership(&upstream);
    let own = json!({ "id": "Quote:a", "source": { "accountId": ALICE_ACCOUNT } }).to_string();
    for (path, told) in [
        ("/quotes/Quote:a", (StatusCode::BAD_GATEWAY, own)),
        ("/quotes/Quote:a", (StatusCode::OK, "{}".to_owned())),
        (
            "/quotes/Quote:a",
            (StatusCode::UNAUTHORIZED, "{}".to_owned()),
        ),
        (
            "/auth/delegated-keys/DelegatedKey:alice",
            (StatusCode::OK, "{\"data\":[{}]}".to_owned()),
        ),
        (
            "/auth/delegated-keys/DelegatedKey:alice",
            (StatusCode::NOT_FOUND, "{}".to_owned()),
        ),
    ] {
        upstream.will_answer(told);
        let answer = relay.send(bare(Method::GET, path)).await;
        answer.assert_refused(503, "INTERNAL_ERROR");
    }
    assert_eq!(upstream.seen().len(), 5);
}

/// A platform that keeps which device codes and lookups are whose.
struct Keeping;

impl Ownership for Keeping {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        Platform.owned_by(user).await
    }

    async fn vouches_for(&self, user: &User, resource: &Resource) -> Result<bool, Unavailable> {
        match (user.id.as_str(), resource.kind, resource.id.as_str()) {
            ("alice", ResourceKind::DeviceCode, "GRID-AGENT-ALICE") => Ok(true),
            ("alice", ResourceKind::Lookup, "Lookup:alice") => Ok(true),
            (_, _, "GRID-AGENT-OUTAGE") => Err(Unavailable),
            _ => Ok(false),
        }
    }
}

#[tokio::test]
async fn the_platform_may_vouch_for_what_grid_says_nothing_of() {
    let upstream = Upstream::start().await;
    let grid = upstream.grid();
    let authorizer = OwnedResources::new(grid.clone(), Keeping);
    let relay = builder(grid, authorizer).agent_operations(true);
    let relay = Mounted::nested(relay.router().unwrap());
    let status = |code: &str| {
        let path = format!("/agents/device-codes/{code}/status");
        bare(Method::GET, &path)
    };
    let lookup = |id: &str| {
        let mut quote = quote_from(from_account(), to_bank());
        quote["lookupId"] = json!(id);
        post("/quotes", &quote)
    };
    assert_eq!(relay.send(status("GRID-AGENT-ALICE")).await.status, 200);
    assert_eq!(relay.send(lookup("Lookup:alice")).await.status, 200);
    for request in [status("GRID-AGENT-BOB"), lookup("Lookup:bob")] {
        let answer = relay.send(request).await;
        answer.assert_refused(403, "FORBIDDEN");
    }
    let outage = relay.send(status("GRID-AGENT-OUTAGE")).await;
    outage.assert_refused(503, "INTERNAL_ERROR");
    assert_eq!(upstream.seen().len(), 2);
}
