//! The sandbox's own identity provider.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gridkey_sandbox::{OIDC_ISSUER, OidcUser};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::client::{Call, Server, compressed_hex, generate, in_seconds, sha256_hex};

async fn browse(server: &Server, path: &str) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let url = format!("http://{}/sandbox/oidc/{path}", server.address);
    client.get(url).send().await.unwrap()
}

/// Members of the fragment that a 303 leads to.
fn fragment(response: &Response, redirect_uri: &str) -> Vec<(String, String)> {
    assert_eq!(response.status(), 303);
    let location = response.headers()["Location"].to_str().unwrap();
    let fragment = location.strip_prefix(redirect_uri).unwrap();
    let members = fragment.strip_prefix('#').unwrap().split('&');
    members
        .map(|member| member.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

const QUERY: &str =
    "client_id=wallet&redirect_uri=http://localhost:5173/done&state=a%26b%22%3C&nonce=n1";

#[tokio::test]
async fn a_page_leads_to_a_token() {
    let server = Server::start().await;
    let page = browse(
        &server,
        &format!("authorize?{QUERY}&response_type=id_token"),
    )
    .await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["Content-Security-Policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"));
    let html = page.text().await.unwrap();
    for part in [
        "<html lang=\"en\">",
        "<title>",
        "<h1>",
        "value=\"ada\">Sign in as Ada</button>",
        "value=\"bo\">Sign in as Bo</button>",
        "name=\"state\" value=\"a&amp;b&quot;&lt;\"",
        "name=\"nonce\" value=\"n1\"",
    ] {
        assert!(html.contains(part), "{part} {html}");
    }
    assert!(!html.contains("script"));

    let done = browse(&server, &format!("sign-in?{QUERY}&user=bo")).await;
    let [token, state] = fragment(&done, "http://localhost:5173/done")
        .try_into()
        .unwrap();
    assert_eq!(state, ("state".to_owned(), "a%26b%22%3C".to_owned()));
    assert_eq!(token.0, "id_token");
    let claims = read(token.1.split('.').nth(1).unwrap());
    assert_eq!(claims["sub"], "bo");
    assert_eq!(claims["email"], "bo@example.com");
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["aud"], "wallet");
    assert_eq!(claims["iss"], OIDC_ISSUER);
    assert!((claims["iat"].as_i64().unwrap() - in_seconds(0)).abs() < 30);
}

#[tokio::test]
async fn errors_are_redirected_only_where_that_is_safe() {
    let server = Server::start().await;
    for (rest, error) in [
        ("response_type=code", "unsupported_response_type"),
        ("response_type=id_token&prompt=none", "login_required"),
    ] {
        let response = browse(&server, &format!("authorize?{QUERY}&{rest}")).await;
        let members = fragment(&response, "http://localhost:5173/done");
        assert_eq!(members[0], ("error".to_owned(), error.to_owned()));
        assert_eq!(members[1].0, "state");
    }
    let response = browse(&server, &format!("sign-in?{QUERY}&user=eve")).await;
    let members = fragment(&response, "http://localhost:5173/done");
    assert_eq!(members[0].1, "access_denied");
    for query in [
        "redirect_uri=http://localhost/",
        "client_id=wallet",
        "client_id=wallet&redirect_uri=https://example.com/",
    ] {
        for path in ["authorize", "sign-in"] {
            let query = format!("{path}?{query}&response_type=id_token&user=ada");
            let response = browse(&server, &query).await;
            assert_eq!(response.status(), 400, "{query}");
            assert!(!response.headers().contains_key("Location"));
        }
    }
}

#[tokio::test]
async fn tokens_verify_under_the_published_key() {
    let server = Server::start().await;
    let path = "/sandbox/oidc/.well-known/openid-configuration";
    let configuration = server.get(path).await.expect(200);
    assert_eq!(configuration["issuer"], OIDC_ISSUER);
    let base = format!("http://{}", server.address);
    let jwks_uri = configuration["jwks_uri"].as_str().unwrap();
    let jwks = server.get(jwks_uri.strip_prefix(&base).unwrap()).await;
    let key = jwks.expect(200)["keys"][0].clone();

    let request = json!({ "user": "ada", "clientId": "wallet" });
    let issued = server.post("/sandbox/oidc/token", request).await;
    let token = issued.expect(200)["idToken"].as_str().unwrap().to_owned();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let header = read(input.split('.').next().unwrap());
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&json!("ES256"), &key["kid"])
    );
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(
            BASE64_URL_SAFE_NO_PAD
                .decode(key[name].as_str().unwrap())
                .unwrap(),
        );
    }
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
    assert!(key.verify(input.as_bytes(), &signature).is_ok());
    let claims = read(token.split('.').nth(1).unwrap());
    assert!(claims.get("nonce").is_none());
    assert_eq!(claims["sub"], "ada");
}

#[tokio::test]
async fn the_sandbox_takes_its_own_tokens_and_no_forgery() {
    let server = Server::start().await;
    let session = server.sign_in_with_code().await;
    let add = |token: &str| {
        let account_id = server.customer().account_id;
        let body = json!({ "type": "OAUTH", "accountId": account_id, "oidcToken": token });
        Call::post("/auth/credentials", Some(body))
    };
    let token = server.sandbox.id_token(OidcUser::Ada, "wallet", None);
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode([1; 64]));
    server
        .send(&add(&forged))
        .await
        .expect_error(401, "UNAUTHORIZED", "OIDC_SIGNATURE_INVALID");
    let added = server.send_signed(&add(&token), &session.key).await;
    let added = added.expect(201);
    assert_eq!(added["nickname"], "ada@example.com");

    let key = compressed_hex(&generate().public_key());
    let sign_in = |user| {
        let nonce = sha256_hex(&key);
        let token = server.sandbox.id_token(user, "wallet", Some(&nonce));
        let body = json!({ "type": "OAUTH", "oidcToken": token, "clientPublicKey": key });
        let id = added["id"].as_str().unwrap();
        Call::post(format!("/auth/credentials/{id}/verify"), Some(body))
    };
    server.send(&sign_in(OidcUser::Ada)).await.expect(200);
    server.send(&sign_in(OidcUser::Bo)).await.expect_error(
        401,
        "UNAUTHORIZED",
        "OIDC_IDENTITY_MISMATCH",
    );
    // Sandbox time governs here too.
    server.sandbox.advance_clock(120_000);
    server.send(&sign_in(OidcUser::Ada)).await.expect(200);
    server.expect_conformance();
}
