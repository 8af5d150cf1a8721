//! Every operation of the table, with another customer's identifier in each of its places. A row that
//! is added is tested by being there.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test may panic, and counts what the table has"
)]

use axum::body::Body as HttpBody;
use axum::http::request::Parts;
use serde_json::{Map, Value, json};

use super::{Body, Member, MemberValue, Method, Operation, Row, TABLE};
use crate::resource::{Resource, ResourceKind};
use crate::{Login, Owned, OwnedResources, Ownership, Relay, RelyingParty, Unavailable, User};
use support::{Mounted, ORIGIN, Upstream, request_of};

#[path = "../../tests/relay/support.rs"]
#[allow(dead_code, reason = "the other tests' helpers are here too")]
mod support;

/// As `support::Platform`, and it has kept whose device codes and lookups are.
#[derive(Clone)]
struct Platform;

impl Login for Platform {
    async fn identify(&self, request: &Parts) -> Result<Option<User>, Unavailable> {
        support::Platform.identify(request).await
    }
}

impl Ownership for Platform {
    async fn owned_by(&self, user: &User) -> Result<Owned, Unavailable> {
        support::Platform.owned_by(user).await
    }

    async fn vouches_for(&self, user: &User, resource: &Resource) -> Result<bool, Unavailable> {
        Ok(resource.id == id_of(resource.kind, &user.id))
    }
}

fn id_of(kind: ResourceKind, owner: &str) -> String {
    format!("{}{owner}", kind.prefix())
}

/// Fills the places of a request one after the other: all with identifiers of `user`, but for the one
/// at `foreign`, which is `other`'s.
struct Filling<'a> {
    user: &'a str,
    other: &'a str,
    foreign: Option<usize>,
    /// Which variant of each object, and which of an identifier's kinds.
    choice: usize,
    /// How many places there were so far, and of how many there was a choice.
    places: usize,
    choices: usize,
}

impl Filling<'_> {
    fn id(&mut self, kind: ResourceKind) -> String {
        let owner = if self.foreign == Some(self.places) {
            self.other
        } else {
            self.user
        };
        self.places += 1;
        id_of(kind, owner)
    }

    fn choose<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        // The digits of a number in a mixed base are every combination of choices.
        let chosen = self.choice / self.choices % among.len();
        self.choices *= among.len();
        &among[chosen]
    }

    fn object(&mut self, members: &[Member]) -> Value {
        let mut object = Map::new();
        for member in members {
            let value = match &member.value {
                MemberValue::Any if member.name == "type" => json!("EMAIL_OTP"),
                MemberValue::Any => continue,
                MemberValue::Id(kind) => json!(self.id(*kind)),
                MemberValue::IdOf(kinds) => {
                    let kind = *self.choose(kinds);
                    json!(self.id(kind))
                }
                MemberValue::OneOf {
                    discriminator,
                    variants,
                } => {
                    let variant = self.choose(variants);
                    let mut value = self.object(variant.members);
                    value[*discriminator] = json!(variant.name);
                    value
                }
            };
            object.insert(member.name.to_owned(), value);
        }
        Value::Object(object)
    }

    fn request(&mut self, row: &Row) -> axum::http::Request<HttpBody> {
        let id = row.path_resource.map(|kind| self.id(kind));
        let segments = row.path.split('/').map(|segment| match &id {
            Some(id) if segment.starts_with('{') => id.as_str(),
            _ => segment,
        });
        let mut path = segments.collect::<Vec<_>>().join("/");
        let mut mark = '?';
        for parameter in row.query {
            if let Some(kind) = parameter.resource {
                let id = self.id(kind);
                path = format!("{path}{mark}{}={id}", parameter.name);
                mark = '&';
            }
        }
        let body = match &row.body {
            Body::None => String::new(),
            Body::Optional(members) | Body::Required(members) => self.object(members).to_string(),
        };
        request_of(self.user, row.method.clone(), &path)
            .header("content-type", "application/json")
            .body(HttpBody::from(body))
            .unwrap()
    }
}

fn relay(upstream: &Upstream) -> Mounted {
    let grid = upstream.grid();
    let authorizer = OwnedResources::new(grid.clone(), Platform);
    let relying_party = RelyingParty {
        id: "wallet.example".into(),
        name: "Wallet".into(),
    };
    let relay = Relay::builder(grid, Platform, authorizer, relying_party)
        .allowed_origins([ORIGIN])
        .agent_operations(true)
        .delegated_keys(true);
    Mounted::nested(relay.router().unwrap())
}

/// Whether Grid was asked for anything that names this customer, but whose a quote is.
fn was_asked_about(upstream: &Upstream, name: &str) -> bool {
    let whose_quote = format!("/quotes/{}", id_of(ResourceKind::Quote, name));
    let seen = upstream.seen();
    seen.iter()
        .filter(|seen| !(seen.method == Method::GET && seen.path_and_query == whose_quote))
        .any(|seen| {
            let body = String::from_utf8_lossy(&seen.body);
            seen.path_and_query.contains(name) || body.contains(name)
        })
}

#[tokio::test]
async fn an_identifier_of_another_customer_is_refused_in_every_place() {
    let mut refused = 0;
    for (row, (user, other)) in TABLE
        .iter()
        .flat_map(|row| [(row, ("alice", "bob")), (row, ("bob", "alice"))])
    {
        let mut choice = 0;
        loop {
            let filling = |foreign| Filling {
                user,
                other,
                foreign,
                choice,
                places: 0,
                choices: 1,
            };
            let what = format!("{:?} of {user}, choice {choice}", row.operation);

            let mut own = filling(None);
            let upstream = Upstream::start().await;
            let answer = relay(&upstream).send(own.request(row)).await;
            assert_eq!(answer.status, 200, "{what}: {:?}", answer.body);
            assert!(own.places > 0, "{what}: it names nothing");

            for place in 0..own.places {
                let upstream = Upstream::start().await;
                let relay = relay(&upstream);
                // Also after its owner has used it, and the relay knows whose it is.
                for is_known in [false, true] {
                    if is_known {
                        let mut owners = Filling {
                            user: other,
                            other: user,
                            ..filling(None)
                        };
                        relay.send(owners.request(row)).await;
                    }
                    let before = upstream.seen().len();
                    let answer = relay.send(filling(Some(place)).request(row)).await;
                    assert!(
                        matches!(answer.status.as_u16(), 403 | 404),
                        "{what}, place {place}: {} {:?}",
                        answer.status,
                        answer.body
                    );
                    if is_known {
                        let about = &upstream.seen()[before..];
                        assert!(about.iter().all(|seen| seen.method == Method::GET));
                    } else {
                        assert!(!was_asked_about(&upstream, other), "{what}, place {place}");
                    }
                    refused += 1;
                }
            }
            choice += 1;
            if choice >= own.choices {
                break;
            }
        }
    }
    // Two customers, known or not, and at least one place in each operation.
    assert!(refused >= 4 * TABLE.len(), "{refused}");
    let operations: Vec<Operation> = TABLE.iter().map(|row| row.operation).collect();
    assert!(operations.contains(&Operation::ExecuteQuote));
}
