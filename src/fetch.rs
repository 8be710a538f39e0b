//! Small documents from other servers and to them, over HTTP.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Builder;
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;
use tokio::time::timeout;

/// How long an answer may take, to its end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How large it may be, in bytes.
const LARGEST: usize = 256 * 1024;

/// Why there is no document. The place is in it, as whoever configured it knows it.
#[derive(Debug, Error)]
pub enum FetchError {
    /// No connection, or none that can be trusted.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The document.
        url: String,
        /// What the connection says.
        reason: String,
    },
    /// Another answer than the document.
    #[error("{url} answers {status}")]
    Refused {
        /// The document.
        url: String,
        /// The answer; redirections are not followed.
        status: StatusCode,
    },
    /// An answer that is too large, too slow, broken, or no text.
    #[error("the answer of {url} is too large, too slow or no text")]
    Unusable {
        /// The document.
        url: String,
    },
}

/// Asks for documents, and brings some. Clones share their connections.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Fetcher {
    /// With the roots of public certificate authorities.
    ///
    /// # Errors
    /// When this build has no TLS that clients could use.
    pub fn new() -> Result<Self, rustls::Error> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider)?;
        let connector = connector.https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// The document at `url`, within ten seconds.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn get(&self, url: &str) -> Result<String, FetchError> {
        let unusable = || FetchError::Unusable { url: url.to_owned() };
        timeout(PATIENCE, self.read(url)).await.unwrap_or_else(|_| Err(unusable()))
    }

    /// Brings JSON to `url`, with these headers, within ten seconds. The answer is not read.
    ///
    /// # Errors
    /// [`FetchError`], also where the answer is none of success.
    pub async fn post(&self, url: &str, headers: &[(&'static str, String)], body: Bytes) -> Result<(), FetchError> {
        let request = Request::post(place(url)?).header(header::CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = timeout(PATIENCE, self.ask(url, request, body)).await;
        let answer = answer.unwrap_or_else(|_| Err(FetchError::Unusable { url: url.to_owned() }))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(FetchError::Refused { url: url.to_owned(), status }) }
    }

    async fn read(&self, url: &str) -> Result<String, FetchError> {
        let unusable = || FetchError::Unusable { url: url.to_owned() };
        let request = Request::get(place(url)?).header(header::ACCEPT, "application/json");
        let answer = self.ask(url, request, Bytes::new()).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Refused { url: url.to_owned(), status: answer.status() });
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|_| unusable())?;
        String::from_utf8(body.to_bytes().into()).map_err(|_| unusable())
    }

    async fn ask(&self, url: &str, request: Builder, body: Bytes) -> Result<Response<Incoming>, FetchError> {
        let unreachable = |reason: String| FetchError::Unreachable { url: url.to_owned(), reason };
        let request = request.header(header::USER_AGENT, "roundturn").body(Full::new(body));
        let request = request.map_err(|error| unreachable(error.to_string()))?;
        self.client.request(request).await.map_err(|error| unreachable(in_full(&error)))
    }
}

fn place(url: &str) -> Result<Uri, FetchError> {
    url.parse().map_err(|_| FetchError::Unreachable { url: url.to_owned(), reason: "that is no URL".to_owned() })
}

/// The innermost cause says what is wrong: a name, a port, a certificate.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
