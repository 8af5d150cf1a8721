//! Who is asking, and what they may touch: the two questions only the platform can answer.

use std::future::Future;

use axum::http::request::Parts;

use crate::operation::Operation;
use crate::resource::Resource;

/// A customer who is signed in to the platform.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The platform's own identifier of the customer. Never shown to the browser or to Grid.
    pub id: String,
    /// `user.name` of the passkeys the customer creates, such as an e-mail address: what a
    /// password manager lists.
    pub name: String,
    /// `user.displayName` of those passkeys. The name, unless set.
    pub display_name: String,
}

impl User {
    /// A user whose display name is their name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: id.into(),
            display_name: name.clone(),
            name,
        }
    }
}

/// Finds out who sent a request.
pub trait Login: Send + Sync + 'static {
    /// The customer behind a request, from its cookies, its headers, or what the platform's own
    /// middleware put into its extensions. `None` if nobody is signed in.
    fn identify(
        &self,
        request: &Parts,
    ) -> impl Future<Output = Result<Option<User>, Unavailable>> + Send;
}

/// Decides what a customer may touch.
pub trait Authorizer: Send + Sync + 'static {
    /// May this user do this operation on all of these resources?
    ///
    /// `resources` names every identifier in the path, the query and the body of the request; it
    /// is never empty. A kind of resource that the implementation does not know is to be denied.
    fn authorize(
        &self,
        user: &User,
        operation: Operation,
        resources: &[Resource],
    ) -> impl Future<Output = Result<Decision, Unavailable>> + Send;
}

/// An [`Authorizer`]'s answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The request is forwarded.
    Allow,
    /// The request is refused with status 403.
    Deny,
    /// The request is refused with status 404, as Grid answers about what does not exist (or no
    /// longer exists) for the caller.
    NotFound,
}

/// The platform's directory did not answer, so the request is refused with status 503.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unavailable;
