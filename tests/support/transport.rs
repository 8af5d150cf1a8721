//! Real HTTP to the relay, which a test can watch and disturb.

use std::{
    cell::{Cell, RefCell},
    time::UNIX_EPOCH,
};

use gridkey::{
    api::call::{GridCall, GridReply},
    error::{Error, ErrorCode, Result},
    ports::{LocalFuture, Transport},
};

pub struct HttpTransport {
    base_url: String,
    /// Where there is no relay: the platform's own credentials.
    credentials: Option<(String, String)>,
    http: reqwest::Client,
    /// Operation and whether it was signed, in order.
    sent: RefCell<Vec<(&'static str, bool)>>,
    bodies: RefCell<Vec<String>>,
    down: Cell<bool>,
    answer: RefCell<Option<GridReply>>,
    tamper: RefCell<Option<Tamper>>,
}

type Tamper = Box<dyn Fn(&GridCall, &mut GridReply)>;

impl HttpTransport {
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            credentials: None,
            http: reqwest::Client::new(),
            sent: RefCell::default(),
            bodies: RefCell::default(),
            down: Cell::new(false),
            answer: RefCell::new(None),
            tamper: RefCell::new(None),
        }
    }

    /// Straight to Grid, as only a platform's backend may.
    pub fn to_grid(base_url: &str, client_id: &str, client_secret: &str) -> Self {
        Self {
            credentials: Some((client_id.to_owned(), client_secret.to_owned())),
            ..Self::new(base_url)
        }
    }

    /// No answer from now on, or answers again.
    pub fn set_down(&self, down: bool) {
        self.down.set(down);
    }

    /// The relay, or what stands before it, answers everything with this and forwards nothing; or
    /// forwards again.
    pub fn set_answer(&self, answer: Option<GridReply>) {
        self.answer.replace(answer);
    }

    /// What a hostile or broken relay would make of an answer.
    pub fn set_tamper(&self, tamper: impl Fn(&GridCall, &mut GridReply) + 'static) {
        self.tamper.replace(Some(Box::new(tamper)));
    }

    pub fn stop_tampering(&self) {
        self.tamper.replace(None);
    }

    /// What was sent since the last call: operation, and whether with a stamp.
    pub fn take_sent(&self) -> Vec<(&'static str, bool)> {
        self.bodies.take();
        self.sent.take()
    }

    /// The bodies that were sent since the last [`Self::take_sent`].
    pub fn bodies(&self) -> Vec<String> {
        self.bodies.borrow().clone()
    }
}

impl Transport for HttpTransport {
    fn send(&self, call: GridCall) -> LocalFuture<'_, Result<GridReply>> {
        self.sent
            .borrow_mut()
            .push((call.operation, call.stamp.is_some()));
        self.bodies.borrow_mut().extend(call.body.clone());
        Box::pin(async move {
            let unreachable = || {
                Error::new(
                    ErrorCode::Network,
                    "the relay could not be reached: try again",
                )
            };
            if self.down.get() {
                return Err(unreachable());
            }
            if let Some(answer) = &*self.answer.borrow() {
                return Ok(answer.clone());
            }
            let method = call.method.parse().unwrap();
            let mut request = self
                .http
                .request(method, format!("{}{}", self.base_url, call.path));
            for (name, value) in [
                ("Grid-Wallet-Signature", &call.stamp),
                ("Request-Id", &call.request_id),
                ("Idempotency-Key", &call.idempotency_key),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            if let Some((client_id, client_secret)) = &self.credentials {
                request = request.basic_auth(client_id, Some(client_secret));
            }
            // A browser says where it comes from.
            request = request.header("Origin", self.base_url.as_str());
            if let Some(body) = &call.body {
                request = request
                    .header("Content-Type", "application/json")
                    .body(body.clone());
            }
            let response = request.send().await.map_err(|_| unreachable())?;
            let status = response.status().as_u16();
            let retry_after_ms = response
                .headers()
                .get("Retry-After")
                .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
                .map(|seconds| seconds.saturating_mul(1000));
            let date_ms = response
                .headers()
                .get("Date")
                .and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok())
                .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
                .and_then(|since| i64::try_from(since.as_millis()).ok());
            let body = response.bytes().await.map_err(|_| unreachable())?.to_vec();
            let mut reply = GridReply {
                status,
                body,
                retry_after_ms,
                date_ms,
            };
            if let Some(tamper) = &*self.tamper.borrow() {
                tamper(&call, &mut reply);
            }
            Ok(reply)
        })
    }
}
