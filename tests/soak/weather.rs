//! What stands between the client and the server, and does not let everything through as it came.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use gridkey::api::operation::Operation;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{luck::Dice, support::abort::Abort, time::SharedTime};

/// How long the client waits for each answer.
pub const PATIENCE_MS: u64 = 20_000;

/// What befalls a request or its answer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// The connection is cut, and the request goes no further.
    Lost,
    /// It is carried out; the connection is cut instead of an answer.
    AnswerLost,
    /// The answer takes long, but not too long.
    Slow,
    /// It is carried out when the client has given up waiting.
    LateRequest,
    /// It is carried out at once, and answered when the client has given up waiting.
    LateAnswer,
    /// It is carried out when the caller has ended the call.
    Aborted,
    /// It arrives twice, and the first answer is passed on.
    Twice,
    /// It arrives twice, and the second answer is passed on.
    TwiceSecondAnswered,
    /// Of the answer the first half arrives, then the connection is cut.
    Cut,
    /// Of the answer's body the first half arrives, as if it were all.
    Halved,
    /// A proxy's page; the request goes no further.
    BadGateway,
    /// 429, and to come again in two seconds; the request goes no further.
    Busy,
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::Lost,
        Self::AnswerLost,
        Self::Slow,
        Self::LateRequest,
        Self::LateAnswer,
        Self::Aborted,
        Self::Twice,
        Self::TwiceSecondAnswered,
        Self::Cut,
        Self::Halved,
        Self::BadGateway,
        Self::Busy,
    ];
}

/// A request that the client has sent, and what became of it.
#[derive(Clone)]
pub struct Passed {
    pub operation: Operation,
    pub target: String,
    pub body: String,
    pub stamp: Option<String>,
    pub request_id: Option<String>,
    pub fault: Option<Fault>,
    /// What the server has answered: nothing where the request did not get there.
    pub answers: Vec<(u16, String)>,
}

pub struct Weather {
    dice: Dice,
    /// Of a thousand requests, so many suffer.
    faults_per_mille: Cell<u64>,
    time: Rc<SharedTime>,
    http: reqwest::Client,
    busy: Cell<u32>,
    abort: RefCell<Option<Rc<Abort>>>,
    /// Whether a client went on with what it had given up.
    pub went_on: Cell<bool>,
    pub passed: RefCell<Vec<Passed>>,
    pub faults: RefCell<BTreeMap<Fault, u64>>,
    /// Requests that the server has got.
    pub arrived: Cell<u64>,
}

struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

struct Busy<'a>(&'a Cell<u32>);

impl<'a> Busy<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Weather {
    pub fn new(seed: u64, time: Rc<SharedTime>) -> Rc<Self> {
        Rc::new(Self {
            dice: Dice::new(seed),
            faults_per_mille: Cell::new(0),
            time,
            http: reqwest::Client::new(),
            busy: Cell::new(0),
            abort: RefCell::default(),
            went_on: Cell::new(false),
            passed: RefCell::default(),
            faults: RefCell::default(),
            arrived: Cell::new(0),
        })
    }

    /// Of a thousand requests from now on, so many suffer. Gives how many it were.
    pub fn set(&self, faults_per_mille: u64) -> u64 {
        self.faults_per_mille.replace(faults_per_mille)
    }

    /// What ends the call that is made next, if anything can.
    pub fn set_abort(&self, abort: Option<Rc<Abort>>) {
        self.abort.replace(abort);
    }

    pub fn is_busy(&self) -> bool {
        self.busy.get() > 0
    }

    /// An address before the server's.
    pub async fn before(self: &Rc<Self>, server: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, server) = (self.clone(), server.to_owned());
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (weather, server) = (weather.clone(), server.clone());
                tokio::task::spawn_local(async move { weather.connection(stream, &server).await });
            }
        });
        format!("http://{address}")
    }

    async fn connection(&self, mut stream: TcpStream, server: &str) {
        stream.set_nodelay(true).unwrap();
        let mut received = Vec::new();
        while let Some(request) = read_request(&mut stream, &mut received).await {
            let _busy = Busy::new(&self.busy);
            if !self.pass(&mut stream, &request, server).await {
                return;
            }
        }
    }

    /// Whether the connection goes on.
    async fn pass(&self, stream: &mut TcpStream, request: &Request, server: &str) -> bool {
        let suffers = self.dice.below(1000) < self.faults_per_mille.get();
        let fault = suffers.then(|| self.dice.one_of(&Fault::ALL));
        // When a passkey was not accepted, the client fetches a challenge unasked.
        let is_after = |it: &Passed| it.operation == Operation::VerifyAuthCredential;
        let is_unasked = request.operation() == Operation::ChallengeAuthCredential
            && self.passed.borrow().last().is_some_and(is_after);
        let index = self.passed.borrow().len();
        self.passed.borrow_mut().push(request.noted(fault));
        if let Some(fault) = fault {
            *self.faults.borrow_mut().entry(fault).or_default() += 1;
        }
        let forward = || self.forward(request, server, index);
        match fault {
            None => send(stream, &forward().await.to_bytes()).await,
            Some(Fault::Lost) => false,
            Some(Fault::AnswerLost) => {
                forward().await;
                false
            }
            Some(Fault::Slow) => {
                let answer = forward().await;
                let ms = self.dice.below(PATIENCE_MS - 1_000);
                self.time.advance(i64::try_from(ms).unwrap());
                send(stream, &answer.to_bytes()).await
            }
            Some(Fault::LateRequest) => {
                self.exhaust_patience();
                self.hung_up(stream).await;
                forward().await;
                false
            }
            Some(Fault::LateAnswer) => {
                forward().await;
                self.exhaust_patience();
                self.hung_up(stream).await;
                false
            }
            Some(Fault::Aborted) => {
                let abort = self.abort.borrow_mut().take_if(|_| !is_unasked);
                if let Some(abort) = abort {
                    abort.abort();
                    self.hung_up(stream).await;
                    forward().await;
                    return false;
                }
                self.passed.borrow_mut()[index].fault = None;
                send(stream, &forward().await.to_bytes()).await
            }
            Some(Fault::Twice) => {
                let answer = forward().await;
                forward().await;
                send(stream, &answer.to_bytes()).await
            }
            Some(Fault::TwiceSecondAnswered) => {
                forward().await;
                send(stream, &forward().await.to_bytes()).await
            }
            Some(Fault::Cut) => {
                let answer = forward().await.to_bytes();
                send(stream, &answer[..answer.len() / 2]).await;
                false
            }
            Some(Fault::Halved) => {
                let mut answer = forward().await;
                if answer.body.is_empty() {
                    self.passed.borrow_mut()[index].fault = None;
                }
                answer.body.truncate(answer.body.len() / 2);
                send(stream, &answer.to_bytes()).await
            }
            Some(Fault::BadGateway) => {
                let page = Answer {
                    status: 502,
                    headers: vec![("content-type", "text/html".to_owned())],
                    body: b"<html><h1>Bad Gateway</h1></html>".to_vec(),
                };
                send(stream, &page.to_bytes()).await
            }
            Some(Fault::Busy) => {
                let answer = Answer {
                    status: 429,
                    headers: vec![("retry-after", "2".to_owned())],
                    body: Vec::new(),
                };
                send(stream, &answer.to_bytes()).await
            }
        }
    }

    fn exhaust_patience(&self) {
        let ms = PATIENCE_MS + self.dice.below(5_000) + 1;
        self.time.advance(i64::try_from(ms).unwrap());
    }

    /// Waits until the client has ended its request, which it does at once.
    async fn hung_up(&self, stream: &mut TcpStream) {
        let mut byte = [0; 1];
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut byte)).await;
        if !matches!(ended, Ok(Ok(0) | Err(_))) {
            self.went_on.set(true);
        }
    }

    async fn forward(&self, request: &Request, server: &str, index: usize) -> Answer {
        let method = request.method.parse().unwrap();
        let url = format!("{server}{}", request.target);
        let mut forwarded = self.http.request(method, url);
        for (name, value) in &request.headers {
            if !matches!(&**name, "connection" | "content-length") {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.body(request.body.clone()).send().await.unwrap();
        self.arrived.set(self.arrived.get() + 1);
        let mut headers = Vec::new();
        for name in ["content-type", "date", "retry-after"] {
            if let Some(value) = answer.headers().get(name) {
                headers.push((name, value.to_str().unwrap().to_owned()));
            }
        }
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap().to_vec();
        let text = String::from_utf8(body.clone()).unwrap();
        self.passed.borrow_mut()[index].answers.push((status, text));
        Answer {
            status,
            headers,
            body,
        }
    }
}

impl Request {
    fn noted(&self, fault: Option<Fault>) -> Passed {
        let header = |wanted: &str| {
            let found = self.headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        Passed {
            operation: self.operation(),
            target: self.target.clone(),
            body: String::from_utf8(self.body.clone()).unwrap(),
            stamp: header("grid-wallet-signature"),
            request_id: header("request-id"),
            fault,
            answers: Vec::new(),
        }
    }

    fn operation(&self) -> Operation {
        let path = self.target.split('?').next().unwrap();
        let is_this = |operation: &&Operation| {
            let spec = operation.spec();
            let (mut ours, mut theirs) = (spec.path.split('/'), path.split('/'));
            spec.method == self.method
                && loop {
                    match (ours.next(), theirs.next()) {
                        (None, None) => break true,
                        (Some(ours), Some(theirs)) if ours == theirs => {}
                        (Some(ours), Some(_)) if ours.starts_with('{') => {}
                        _ => break false,
                    }
                }
        };
        *Operation::ALL.iter().find(is_this).unwrap()
    }
}

impl Answer {
    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} It\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// The next request of a connection, if there is one. HTTP/1.1 as this client writes it: lengths are
/// said, names of headers are in lower case.
async fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<Request> {
    let head_ends = loop {
        if let Some(at) = received.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(received).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8(received[..head_ends].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, length)| length.parse().unwrap());
    let body_begins = head_ends + 4;
    while received.len() < body_begins + length {
        if stream.read_buf(received).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let rest = received.split_off(body_begins + length);
    let body = received.split_off(body_begins);
    *received = rest;
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body,
    })
}

/// Whether it could be sent.
async fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok()
}
